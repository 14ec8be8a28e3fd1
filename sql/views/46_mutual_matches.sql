-- view:    mutual_matches
-- grain:   measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   pairs in which each feature is the other's best partner
-- columns:
--   measure    as in pairs
--   sae_a      as in pairs
--   sae_b      as in pairs
--   corpus     name of the corpus
--   feature_a  feature of sae_a
--   feature_b  feature of sae_b
--   value      of the measure
--   n_a        tokens on which feature_a fires
--   n_b        tokens on which feature_b fires
--   n_ab       tokens on which both fire
create or replace view mutual_matches as
select p.measure, p.sae_a, p.sae_b, p.corpus, p.feature_a, p.feature_b, p.value, p.n_a, p.n_b, p.n_ab
from pairs p
where p.rank_ab = 1 and p.rank_ba = 1;
