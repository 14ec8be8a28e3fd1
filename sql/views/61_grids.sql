-- view:    grids
-- grain:   grid, sae_a, sae_b
-- about:   scores of one metric over many pairs of SAEs, as featlas matrix made them, one row a cell
-- columns:
--   grid          number of the grid
--   metric        svcca, rsa, …
--   sae_a         SAE of the row
--   sae_b         SAE of the column
--   score_id      its score; null where there is none
--   problem       why there is none; null where there is one
--   n             matched pairs of features
--   n_candidates  pairs before the filters
--   value         the score
--   null_mean     mean score of the null
--   z             (value - null_mean) / null_std
--   p_value       (1 + draws at least as high) / (1 + null_n)
--   p_adjusted    p_value adjusted for the grid (Benjamini and Hochberg 1995)
--   subset        which pairs, in words: match rule, filters, condition, concept; null where there is no score
--   steps         candidates, what each filter took of what the ones before it left, and pairs left (JSON)
--   corpus        corpus on which the features were matched; where the tokenizations of one text differ, that of sae_a
--   space         rows that were compared: decoder, encoder or activation
--   options       of the metric (JSON)
--   null_kind     what the null is made of, as in view scores
--   null_n        draws of the null
--   seed          of the draws
--   low           lower end of the 95 % interval of the value; null if it was not asked for
--   high          upper end of it
create or replace view grids as
select
    g.grid_id       as grid,
    g.metric,
    a.name          as sae_a,
    b.name          as sae_b,
    c.score_id,
    c.problem,
    s.n,
    (s.steps ->> 'candidates')::bigint as n_candidates,
    s.value,
    s.null_mean,
    s.z,
    s.p_value,
    c.p_adjusted,
    s.subset,
    s.steps,
    k.name          as corpus,
    s.space,
    s.options,
    s.null_kind,
    s.null_n,
    s.seed,
    s.low,
    s.high
from grid_cell c
join grid g using (grid_id)
join sae a on a.sae_id = c.sae_a
join sae b on b.sae_id = c.sae_b
left join score s on s.score_id = c.score_id
left join corpus k on k.corpus_id = s.corpus_id;
