-- view:    one_to_one_matches
-- grain:   measure, sae_a, sae_b, corpus, direction, feature
-- about:   best matches of which every partner keeps the best of those that chose it (ties: the lower id); the rest are left out
-- columns:
--   measure    as in pairs
--   sae_a      as in pairs
--   sae_b      as in pairs
--   corpus     name of the corpus
--   direction  a_to_b: feature is of sae_a and chooses in sae_b; b_to_a: the other way
--   feature    the feature that chose
--   partner    its partner in the other SAE
--   value      of the measure
--   n_feature  tokens on which feature fires
--   n_partner  tokens on which partner fires
--   n_ab       tokens on which both fire
create or replace view one_to_one_matches as
select m.measure, m.sae_a, m.sae_b, m.corpus, m.direction, m.feature, m.partner, m.value, m.n_feature, m.n_partner, m.n_ab
from best_matches m
qualify row_number() over (
    partition by m.measure, m.sae_a, m.sae_b, m.corpus, m.direction, m.partner
    order by m.value desc, m.feature
) = 1;
