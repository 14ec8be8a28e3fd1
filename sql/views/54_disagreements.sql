-- view:    disagreements
-- grain:   measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   pairs that correlate at 0.7 or more in activation and reach at most 0.3 by another measure, or the other way round; disagreements_between(…) has other limits
-- columns:
--   measure      the measure that disagrees with activation
--   sae_a        as in pairs by activation
--   sae_b        the other SAE
--   corpus       name of the corpus of sae_a
--   feature_a    feature of sae_a
--   feature_b    feature of sae_b
--   activation   correlation of the activations
--   value        of the measure
--   high         which of the two is high: activation, or the measure
--   n_ab         tokens on which both fire
create or replace view disagreements as
select
    o.measure,
    p.sae_a,
    p.sae_b,
    p.corpus,
    p.feature_a,
    p.feature_b,
    p.value     as activation,
    o.value,
    case when p.value > o.value then 'activation' else o.measure end as high,
    p.n_ab
from pairs p
join pairs_both_ways o using (sae_a, sae_b, corpus, feature_a, feature_b)
where p.measure = 'activation' and o.measure not in ('activation', 'lift')
    and greatest(p.value, o.value) >= 0.7 and least(p.value, o.value) <= 0.3;
