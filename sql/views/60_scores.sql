-- view:    scores
-- grain:   score_id
-- about:   similarities of two feature spaces on matched features, each with the null that judges it
-- columns:
--   score_id    number of the score
--   metric      svcca, rsa, …
--   sae_a       the SAE whose rows are x
--   sae_b       the SAE whose rows are y
--   corpus      the corpus on which the features were matched; where the tokenizations of one text differ, that of sae_a
--   subset      in words: match rule, filters, condition, concept
--   n           matched pairs of features
--   value       the score
--   null_mean   mean score of the null
--   null_std    standard deviation of the scores of the null
--   null_n      draws of the null
--   z           (value - null_mean) / null_std; null if the null does not vary
--   p_value     (1 + draws at least as high) / (1 + null_n)
--   p_adjusted  p_value adjusted for the newest grid that the score is in (Benjamini and Hochberg 1995); null for a single score
--   dims_a      directions kept of x; null where the metric keeps all
--   dims_b      directions kept of y
--   forced      correlations that are 1 by rank alone; null where the metric has none
--   options     of the metric
--   seed        of the draws
--   created_at  when it was computed, UTC
--   run_id      the run that computed it, with its software
--   excess      (value - null_mean) / (1 - null_mean): 0 at chance, 1 at identity; null if chance already gives 1
--   corpus_b    corpus of sae_b; another one where two tokenizations of a text were aligned
--   space       rows that were compared: decoder, encoder or activation
--   null_kind   shuffle: the pairs shuffled; subsets: random features, matched again; density, norm: random partners alike in it
--   expected    mean of the null in closed form; null where it is not known
--   low         lower end of the 95 % bootstrap interval of the value; null if it was not asked for
--   high        upper end of it
--   steps       candidates, what each filter took of what the ones before it left, and pairs left (JSON)
--   expected_std    standard deviation of the null in closed form; null where it is not known
--   expected_square mean squared canonical correlation by chance, exact; null where the metric has none
--   details         the metric's own numbers: ranks and all correlations, weights, distance (JSON)
--   half_mean       mean score of a half of the pairs; null if it was not asked for
--   half_apart      mean |difference| of two halves that have no pair in common
--   n_halves        splits into halves
create or replace view scores as
select
    c.score_id,
    c.metric,
    a.name                  as sae_a,
    b.name                  as sae_b,
    k.name                  as corpus,
    c.subset,
    c.n,
    c.value,
    c.null_mean,
    c.null_std,
    c.null_n,
    c.z,
    c.p_value,
    (select arg_max(g.p_adjusted, g.grid_id) from grid_cell g where g.score_id = c.score_id) as p_adjusted,
    c.dims_a,
    c.dims_b,
    c.forced,
    c.options,
    c.seed,
    c.created_at,
    c.run_id,
    case when c.null_mean < 1 then (c.value - c.null_mean) / (1 - c.null_mean) end as excess,
    coalesce(l.name, k.name) as corpus_b,
    c.space,
    c.null_kind,
    c.expected,
    c.low,
    c.high,
    c.steps,
    c.expected_std,
    c.expected_square,
    c.details,
    c.half_mean,
    c.half_apart,
    c.n_halves
from score c
join sae a on a.sae_id = c.sae_a
join sae b on b.sae_id = c.sae_b
join corpus k on k.corpus_id = c.corpus_id
left join corpus l on l.corpus_id = c.corpus_b;
