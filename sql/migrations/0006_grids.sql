-- Scores: which rows were compared against which null, how sure they are, what the filters took, and grids of them.

alter table score add column corpus_b smallint;                     -- as in pairing
alter table score add column space varchar default 'decoder';       -- rows that were compared: decoder, encoder, activation
alter table score add column null_kind varchar default 'shuffle';   -- shuffle, subsets, density, norm
alter table score add column expected double;                       -- mean of the null in closed form; null where unknown
alter table score add column low double;                            -- bootstrap interval of the value
alter table score add column high double;
alter table score add column n_bootstrap integer;
alter table score add column steps json;                            -- candidates, what each filter took, pairs left

create table grid (                                 -- scores of one metric over many pairs of SAEs
    grid_id     integer primary key,
    run_id      integer not null,
    metric      varchar not null,
    spec_sha256 varchar not null,
    created_at  timestamp not null
);

create table grid_cell (                            -- sorted by (grid_id, sae_a, sae_b)
    grid_id    integer not null,
    sae_a      smallint not null,                   -- row
    sae_b      smallint not null,                   -- column
    score_id   integer,                             -- null where there is no score
    problem    varchar,                             -- why not
    p_adjusted double                               -- Benjamini and Hochberg 1995, over the cells of the grid
);
