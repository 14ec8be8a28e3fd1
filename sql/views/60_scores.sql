-- view:    scores
-- grain:   score_id
-- about:   similarities of two feature spaces on matched features, each with the null that judges it
-- columns:
--   score_id    number of the score
--   metric      svcca, rsa, …
--   sae_a       the SAE whose decoder rows are x
--   sae_b       the SAE whose decoder rows are y
--   corpus      the corpus on which the features were matched
--   subset      in words: match rule, filters, condition, concept
--   n           matched pairs of features
--   value       the score
--   null_mean   mean score with the pairing shuffled
--   null_std    standard deviation of the shuffled scores
--   null_n      number of shuffles
--   z           (value - null_mean) / null_std; null if the shuffles do not vary
--   p_value     (1 + shuffles at least as high) / (1 + null_n)
--   p_adjusted  p_value adjusted for the grid it belongs to; null for a single score
--   dims_a      directions kept of x; null where the metric keeps all
--   dims_b      directions kept of y
--   forced      correlations that are 1 by counting alone; null where the metric has none
--   options     of the metric
--   seed        of the shuffles
--   created_at  when it was computed, UTC
--   run_id      the run that computed it, with its software
--   excess      (value - null_mean) / (1 - null_mean): 0 at chance, 1 at identity; null if chance already gives 1
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
    null::double            as p_adjusted,
    c.dims_a,
    c.dims_b,
    c.forced,
    c.options,
    c.seed,
    c.created_at,
    c.run_id,
    case when c.null_mean < 1 then (c.value - c.null_mean) / (1 - c.null_mean) end as excess
from score c
join sae a on a.sae_id = c.sae_a
join sae b on b.sae_id = c.sae_b
join corpus k using (corpus_id);
