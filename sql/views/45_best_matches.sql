-- view:    best_matches
-- grain:   measure, sae_a, sae_b, corpus, direction, feature
-- about:   the best partner of every feature, in both directions; several features may share one partner
-- columns:
--   measure    as in pairs
--   sae_a      as in pairs
--   sae_b      as in pairs
--   corpus     name of the corpus
--   direction  a_to_b: feature is of sae_a and chooses in sae_b; b_to_a: the other way
--   feature    the feature that chooses
--   partner    its best partner in the other SAE; ties go to the lower id
--   value      of the measure
--   margin     value less the value of the second-best partner; null if there is none
--   n_feature  tokens on which feature fires
--   n_partner  tokens on which partner fires
--   n_ab       tokens on which both fire
create or replace view best_matches as
with choices as (
    select p.measure, p.sae_a, p.sae_b, p.corpus, 'a_to_b' as direction, p.feature_a as feature, p.feature_b as partner,
           p.value, p.rank_ab as rank, p.n_a as n_feature, p.n_b as n_partner, p.n_ab
    from pairs p
    where p.rank_ab <= 2
    union all
    select q.measure, q.sae_a, q.sae_b, q.corpus, 'b_to_a', q.feature_b, q.feature_a, q.value, q.rank_ba, q.n_b, q.n_a, q.n_ab
    from pairs q
    where q.rank_ba <= 2
)
select
    c.measure,
    c.sae_a,
    c.sae_b,
    c.corpus,
    c.direction,
    c.feature,
    max(c.partner) filter (c.rank = 1)                                      as partner,
    max(c.value) filter (c.rank = 1)                                        as value,
    max(c.value) filter (c.rank = 1) - max(c.value) filter (c.rank = 2)     as margin,
    max(c.n_feature) filter (c.rank = 1)                                    as n_feature,
    max(c.n_partner) filter (c.rank = 1)                                    as n_partner,
    max(c.n_ab) filter (c.rank = 1)                                         as n_ab
from choices c
group by c.measure, c.sae_a, c.sae_b, c.corpus, c.direction, c.feature;
