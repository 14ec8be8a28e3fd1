-- cells of one grid with their scores, row by row
select g.sae_a, g.sae_b, g.metric, g.n_candidates, g.n, g.value, g.null_mean, g.z, g.p_value, g.p_adjusted, g.steps, g.problem, g.score_id,
    g.corpus, g.space, g.options, g.null_kind, g.null_n, g.seed, g.low, g.high
from grids g
where g.grid = $grid
order by g.sae_a, g.sae_b;
