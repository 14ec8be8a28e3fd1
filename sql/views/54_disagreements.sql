-- view:    disagreements
-- grain:   measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   pairs that correlate at 0.7 or more in activation and reach at most 0.3 by another measure, or the other way round, among the pairs that both keep: how many depends on the top k that was stored; disagreements_between(…) has other limits. Without measures that have no upper end or that have a direction
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
--   mutual       each is the other's best partner by the one that is high
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
    case when p.value > o.value then coalesce(p.rank_ab = 1 and p.rank_ba = 1, false)
         else coalesce(o.rank_ab = 1 and o.rank_ba = 1, false) end as mutual,
    p.n_ab
from pairs p
join pairs_both_ways o using (sae_a, sae_b, corpus, corpus_b, feature_a, feature_b)
where p.measure = 'activation' and o.measure <> 'activation' and is_bounded(o.measure) and not has_direction(o.measure)
    and greatest(p.value, o.value) >= 0.7 and least(p.value, o.value) <= 0.3;
