-- Statistics by position, by token and by document, logit weights, and what of a corpus a scan covers.

alter table corpus add column packing varchar default 'packed';     -- 'packed': contexts span documents; 'document': they do not

alter table scan add column n_contexts bigint;      -- contexts measured: the first of the corpus; it may have grown since
alter table scan add column n_documents bigint;     -- documents with a measured token
alter table scan add column loss_tokens bigint;     -- predicted tokens that the next three are over; null: not measured
alter table scan add column ce double;              -- cross-entropy of the model as it is, nats a token
alter table scan add column ce_spliced double;      -- with the reconstruction in the place of what the SAE reads
alter table scan add column ce_ablated double;      -- with zeros in its place
update scan set
    n_contexts = (select k.n_contexts from corpus k where k.corpus_id = scan.corpus_id),
    n_documents = (select k.n_documents from corpus k where k.corpus_id = scan.corpus_id);

alter table feature_vector add column encoder_norm float;
alter table feature_vector add column logit_mean double;            -- over the vocabulary; null where no logits follow
alter table feature_vector add column logit_std double;
alter table feature_vector add column logit_skew double;
alter table feature_vector add column logit_kurtosis double;
update feature_vector set encoder_norm = sqrt(list_inner_product(w_enc, w_enc));

create table logit_token (                          -- sorted by (sae_id, feature_id, sign, rank)
    sae_id     smallint not null,
    feature_id integer not null,
    sign       tinyint not null,                    -- 1: the largest logit weights; -1: the smallest
    rank       smallint not null,                   -- from 1
    token_id   integer not null,
    logit      float not null
);

create table document (                             -- sorted by (corpus_id, document_id)
    corpus_id   smallint not null,
    document_id integer not null,
    first_token bigint not null,                    -- token_index of its first counted token
    n_tokens    bigint not null,                    -- counted tokens in this corpus
    label       double                              -- as the corpus gives it; null where it gives none
);

create table scan_position (
    scan_id  integer not null,
    position integer not null,                      -- in the context, from 0
    n_tokens bigint not null                        -- counted tokens there
);

create table feature_position (                     -- sorted by (scan_id, feature_id, position); only where it fired
    scan_id    integer not null,
    feature_id integer not null,
    position   integer not null,
    n_fired    bigint not null,
    total      double not null,                     -- sum of activations
    total_2    double not null                      -- sum of squares
);

create table feature_token (                        -- sorted by (scan_id, feature_id, token_id); top 50 by lift or by sum
    scan_id      integer not null,
    feature_id   integer not null,
    token_id     integer not null,
    n_fired      bigint not null,
    total        double not null,                   -- sum of activations
    n_tokens     bigint not null,                   -- of this token in the scan
    rank_by_lift smallint,                          -- from 1; null: outside the top 50
    rank_by_sum  smallint
);

-- Windows keep only what is not zero: with 140 contexts a feature, most of a window is silence.
create table window_of_feature (                    -- sorted by (scan_id, feature_id, kind, bin, rank)
    scan_id     integer not null,
    feature_id  integer not null,
    kind        varchar not null,
    bin         smallint not null,
    rank        smallint not null,                  -- from 1
    activation  float not null,                     -- at the peak; 0 for a silent one
    context_id  integer not null,
    position    integer not null,                   -- of the peak in the context, from 0
    start       integer not null,                   -- of the window in the context
    length      smallint not null,                  -- tokens of the window
    places      smallint[] not null,                -- firing tokens of the window, from 0
    activations float[] not null                    -- their activations
);
insert into window_of_feature
select
    f.scan_id, f.feature_id, f.kind, f.bin, f.rank, f.activation, f.context_id, f.position, f.start,
    len(f.activations),
    [i for i in range(len(f.activations)) if f.activations[i + 1] <> 0],
    [x for x in f.activations if x <> 0]
from feature_context f;
drop table feature_context;
alter table window_of_feature rename to feature_context;

-- Sums over documents of pooled activations: what correlations with a label and with the length need.
create table scan_pooling (                         -- of the documents themselves
    scan_id              integer not null,
    truncation           integer,                   -- leading counted tokens that are pooled; null: the whole document
    n_documents          bigint not null,
    length_sum           double not null,           -- of the tokens that are there to pool
    length_sum_2         double not null,
    n_labelled           bigint not null,           -- documents with a label; the next five are over them
    label_sum            double not null,
    label_sum_2          double not null,
    labelled_length      double not null,
    labelled_length_2    double not null,
    length_label         double not null            -- products of length and label
);

create table feature_pooling (                      -- sorted by (scan_id, feature_id, truncation)
    scan_id      integer not null,
    feature_id   integer not null,
    truncation   integer,
    max_sum      double not null,                   -- of the largest activation in a document, over all documents
    max_sum_2    double not null,
    mean_sum     double not null,                   -- of the mean activation over the tokens that are pooled
    mean_sum_2   double not null,
    max_length   double not null,                   -- products with the length
    mean_length  double not null,
    labelled_max double,                            -- the same over documents with a label; null where the corpus has none
    labelled_max_2 double,
    labelled_mean double,
    labelled_mean_2 double,
    labelled_max_length double,
    labelled_mean_length double,
    max_label    double,                            -- products with the label
    mean_label   double
);
