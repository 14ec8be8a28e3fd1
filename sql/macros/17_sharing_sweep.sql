-- macro:   sharing_sweep(sae_a, sae_b, rule, measure)
-- grain:   corpus, threshold
-- about:   how many features of sae_a are shared with sae_b by a rule of shared_features(…), at every threshold from 0 to 1 in steps of 0.01
-- columns:
--   corpus      name of the corpus of sae_a
--   threshold   from 0 to 1
--   n_features  features of sae_a, those that never fire included
--   n_shared    features shared at this threshold
--   share       n_shared / n_features
--   n_live      features of sae_a that fire
--   rule        the rule
--   measure     the measure, as in shared_features(…)
create or replace macro sharing_sweep(sae_a, sae_b, rule := 'paulo-belrose', measure := 'decoder') as table
with judged as (
    select s.corpus, s.is_shared, s.least_value, s.n_fired, s.rule, s.measure
    from shared_features(sae_a, sae_b, rule := rule, measure := measure, threshold := -2.0) s
),
thresholds as (
    select unnest(range(101)) / 100 as threshold
)
select
    j.corpus,
    t.threshold,
    count(*)                                                        as n_features,
    count(*) filter (j.is_shared and j.least_value >= t.threshold)  as n_shared,
    n_shared / n_features                                           as share,
    count(*) filter (j.n_fired > 0)                                 as n_live,
    any_value(j.rule)                                               as rule,
    any_value(j.measure)                                            as measure
from judged j
cross join thresholds t
group by j.corpus, t.threshold
order by j.corpus, t.threshold;
