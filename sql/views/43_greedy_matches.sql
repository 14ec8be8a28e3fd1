-- view:    greedy_matches
-- grain:   measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   one-to-one matches taken in the order of their values among the stored pairs, where featlas match --method greedy made them; quick to explain, not of the largest sum
-- columns:
--   measure    as in pairs
--   sae_a      the SAE named first when they were made
--   sae_b      the other SAE
--   corpus     name of the corpus; where the tokenizations of one text differ, that of sae_a
--   feature_a  feature of sae_a, each at most once
--   feature_b  its partner in sae_b, each at most once
--   value      of the measure
--   n_a        tokens on which feature_a fires
--   n_b        tokens on which feature_b fires
--   n_ab       tokens on which both fire; null for measures of weights
--   corpus_b   corpus of sae_b, as in pairs
create or replace view greedy_matches as
select m.* exclude (method, total, gap, certified, chance)
from matchings m
where m.method = 'greedy';
