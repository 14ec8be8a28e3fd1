-- What the model says of the next token when a feature is taken out of its contexts.

create table ablation (                             -- sorted by (scan_id, feature_id, rank)
    scan_id    integer not null,
    run_id     integer not null,
    feature_id integer not null,
    rank       smallint not null,                   -- of the feature's strongest contexts, from 1
    context_id integer not null,
    position   integer not null,                    -- of the peak in the context, from 0
    start      integer not null,                    -- of the window in the context
    effects    double[] not null,                   -- a token of the window: change of its log probability, nats; null: not predicted
    chance     double[] not null                    -- the same with a random direction in the place of the decoder row
);
