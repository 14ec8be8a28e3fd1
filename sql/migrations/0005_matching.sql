-- Assignments and families of features, pairings across two cuts of one text, and how large a sample gave a chance level.

alter table pairing add column corpus_b smallint;       -- cut of the text that B was measured on; null: the same as A
alter table pairing add column null_n_a integer;        -- features of A sampled for the chance level; null: no sample
alter table pairing add column null_n_b integer;

create table matching (                             -- one-to-one matchings that no view can find
    matching_id integer primary key,
    method      varchar not null,                   -- 'assignment': of largest sum; 'greedy': largest value first
    measure     varchar not null,
    sae_a       smallint not null,
    sae_b       smallint not null,
    corpus_id   smallint not null,
    corpus_b    smallint,                           -- as in pairing
    run_id      integer not null,
    n_tokens    bigint not null,
    total       double not null,                    -- sum of the values
    gap         double,                             -- no matching has a sum above total + gap; null: not known
    certified   boolean not null,                   -- gap is rounding
    chance      double,                             -- mean value of the matching where nothing belongs together
    spec_sha256 varchar not null,
    unique (method, measure, sae_a, sae_b, corpus_id)
);

create table matching_pair (                        -- sorted by (matching_id, feature_a)
    matching_id integer not null,
    feature_a   integer not null,
    feature_b   integer not null,
    value       double not null,
    n_a         bigint not null,
    n_b         bigint not null,
    n_ab        bigint                              -- tokens on which both fire; null for measures of weights
);

create table feature_family (                       -- families from co-occurrence, sorted by (scan_id, family, feature_id)
    scan_id    integer not null,
    run_id     integer not null,
    family     integer not null,                    -- from 1 in the scan
    round      smallint not null,                   -- from 1; parents found in a round are left out of the next
    feature_id integer not null,
    parent_id  integer,                             -- the feature above it in the family; null for the root
    depth      smallint not null,                   -- 0 for the root
    weight     double,                              -- co-occurrence with the parent; null for the root
    mean_with_head double not null,                 -- of the whole family: mean co-occurrence of the root with the others
    mean_below     double not null                  -- of the whole family: the same among the others
);
