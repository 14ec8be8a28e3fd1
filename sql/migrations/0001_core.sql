-- Registries, scans, statistics, pairs and scores: everything small enough for the database itself.
-- Times are UTC. Big tables carry no keys: they are written sorted by feature, and zone maps do the work of an index.

create type run_status as enum ('running', 'done', 'failed');
create type token_class as enum ('special', 'space', 'punctuation', 'digit', 'word');

-- registries ----------------------------------------------------------------------------------------------------

create table run (
    run_id      integer primary key,
    command     varchar not null,                   -- the command line, as typed
    spec        json not null,                      -- what was asked for, resolved
    spec_sha256 varchar not null,                   -- equal specs have equal hashes
    software    json not null,                      -- versions of featlas, duckdb, numpy, torch, …
    started_at  timestamp not null,
    finished_at timestamp,
    status      run_status not null
);

create table tokenizer (
    tokenizer_id smallint primary key,
    sha256       varchar not null unique,           -- of the vocabulary, merges and normalisation
    n_vocab      integer not null
);

create table vocab (                                -- sorted by (tokenizer_id, token_id)
    tokenizer_id smallint not null,
    token_id     integer not null,
    text         varchar not null,                  -- decoded, leading space kept; a broken byte reads <0xNN>
    class        token_class not null
);

create table model (
    model_id     smallint primary key,
    name         varchar not null unique,
    source       varchar not null,                  -- hub name or folder, as given
    sha256       varchar not null,                  -- of the weights
    architecture varchar,
    d_model      integer not null,
    n_layers     smallint not null,
    n_ctx        integer,
    tokenizer_id smallint not null references tokenizer (tokenizer_id)
);

create table corpus (
    corpus_id      smallint primary key,
    name           varchar not null unique,
    source         varchar not null,
    sha256         varchar not null unique,         -- of the tokenizer and of every context's token ids
    tokenizer_id   smallint not null references tokenizer (tokenizer_id),
    context_length integer not null,                -- tokens, a leading BOS included
    prepend_bos    boolean not null,
    n_documents    bigint not null,
    n_contexts     bigint not null,
    n_tokens       bigint not null                  -- tokens that enter statistics: no special tokens
);

create table context (                              -- sorted by (corpus_id, context_id)
    corpus_id   smallint not null,
    context_id  integer not null,
    first_token bigint not null,                    -- token_index of the first counted token
    token_ids   integer[] not null,                 -- all tokens of the window, special ones included
    documents   integer[] not null                  -- document of each token; -1 for special tokens
);

create table sae (
    sae_id       smallint primary key,
    name         varchar not null unique,
    alias        varchar not null unique,           -- A, B, C …, in order of arrival
    model_id     smallint not null references model (model_id),
    hook_name    varchar not null,
    layer        smallint,
    architecture varchar not null,
    d_in         integer not null,
    d_sae        integer not null,
    source       varchar not null,                  -- release/sae_id or folder, as given
    sha256       varchar not null,                  -- of the weights
    decoder_norm varchar not null,                  -- 'folded': activations are scaled to unit decoder rows; 'as stored'
    cfg          json not null
);

create table feature_vector (                       -- sorted by (sae_id, feature_id)
    sae_id       smallint not null,
    feature_id   integer not null,
    w_dec        float[] not null,                  -- decoder row, d_in long, as stored in the SAE
    w_enc        float[] not null,                  -- encoder column, d_in long
    b_enc        float not null,
    decoder_norm float not null
);

create table feature_label (
    sae_id     smallint not null,
    feature_id integer not null,
    source     varchar not null,
    label      varchar not null
);

-- scans: one SAE measured on one corpus -------------------------------------------------------------------------

create table scan (
    scan_id         integer primary key,
    sae_id          smallint not null,
    corpus_id       smallint not null,
    run_id          integer not null,
    n_tokens        bigint not null,
    n_nonzero       bigint not null,
    fvu             double,                         -- unexplained share of the residual variance; null if it was constant
    exact_quantiles boolean not null,               -- false: read off the histogram, within 3.2 %
    store           varchar,                        -- folder of the sparse activations beside the database; null if none
    spec            json not null,
    spec_sha256     varchar not null,
    finished_at     timestamp not null
);

create table feature_stat (                         -- sorted by (scan_id, feature_id); every feature has a row
    scan_id         integer not null,
    feature_id      integer not null,
    n_fired         bigint not null,                -- tokens with activation > 0
    n_documents     bigint not null,                -- documents in which it fired
    total           double not null,                -- sum of activations
    total_2         double not null,                -- sum of squares, cubes, fourth powers
    total_3         double not null,
    total_4         double not null,
    max             float,                          -- null if it never fired
    q25_active      float,
    median_active   float,
    q75_active      float,
    top_tokens      varchar[] not null,             -- decoded tokens of the strongest firing positions, strongest first
    top_activations float[] not null                -- their activations
);

create table histogram (                            -- sorted by (scan_id, feature_id, bin); only bins that hold something
    scan_id    integer not null,
    feature_id integer not null,
    bin        smallint not null,                   -- float32 bits >> 19: sixteen bins to the octave
    n          bigint not null
);

create table feature_context (                      -- sorted by (scan_id, feature_id, kind, bin, rank)
    scan_id     integer not null,
    feature_id  integer not null,
    kind        varchar not null,
    bin         smallint not null,
    rank        smallint not null,                  -- from 1
    activation  float not null,                     -- at the peak
    context_id  integer not null,
    position    integer not null,                   -- of the peak in the context, from 0
    start       integer not null,                   -- of the stored window in the context
    activations float[] not null                    -- of every token of the window
);

-- comparisons ---------------------------------------------------------------------------------------------------

create table pairing (
    pairing_id   integer primary key,
    measure      varchar not null,
    sae_a        smallint not null,
    sae_b        smallint not null,
    corpus_id    smallint not null,
    run_id       integer not null,
    n_tokens     bigint not null,
    top_k        smallint not null,
    median_best    double,                          -- median over live features of A of the best value in B
    chance         double,                          -- the same with the token rows of B shifted
    median_best_ba double,                          -- median over live features of B of the best value in A
    chance_ba      double,                          -- the same with the token rows of B shifted
    chance_shift   bigint,
    spec_sha256  varchar not null,
    unique (measure, sae_a, sae_b, corpus_id)
);

create table pair (                                 -- sorted by (pairing_id, feature_a, rank_ab)
    pairing_id integer not null,
    feature_a  integer not null,
    feature_b  integer not null,
    value      double not null,
    rank_ab    smallint,                            -- of B's feature among A's partners, from 1; null: outside the stored top k
    rank_ba    smallint,
    n_a        bigint not null,
    n_b        bigint not null,
    n_ab       bigint not null                      -- tokens on which both fire
);

create table concept_keyword (
    concept varchar not null,
    keyword varchar not null,
    source  varchar not null
);

create table non_concept_token (
    text   varchar not null,                        -- equals the decoded token
    source varchar not null
);

create table score (
    score_id   integer primary key,
    run_id     integer not null,
    metric     varchar not null,
    sae_a      smallint not null,
    sae_b      smallint not null,
    corpus_id  smallint not null,
    subset     varchar not null,                    -- in words: match rule, filters, condition, concept
    subset_sha256 varchar not null,                 -- of the exact feature ids of both sides
    features_a integer[] not null,
    features_b integer[] not null,
    n          integer not null,
    value      double not null,
    null_mean  double,
    null_std   double,
    null_n     integer,
    z          double,
    p_value    double,
    dims_a     integer,
    dims_b     integer,
    forced     integer,
    options    json not null,
    seed       bigint not null,
    spec_sha256 varchar not null,
    created_at timestamp not null
);
