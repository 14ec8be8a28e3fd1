-- view:    assignments
-- grain:   measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   the one-to-one assignment of the largest possible sum of values, where featlas match --method assignment made it
-- columns:
--   measure    as in pairs
--   sae_a      the SAE named first when the assignment was made
--   sae_b      the other SAE
--   corpus     name of the corpus; where the tokenizations of one text differ, that of sae_a
--   feature_a  feature of sae_a, each at most once
--   feature_b  its partner in sae_b, each at most once
--   value      of the measure
--   n_a        tokens on which feature_a fires
--   n_b        tokens on which feature_b fires
--   n_ab       tokens on which both fire; null for measures of weights
--   total      sum of the values of the whole assignment
--   gap        no other assignment has a sum above total + gap
--   certified  whether optimality is proved: gap is rounding
--   chance     mean value of an assignment where nothing belongs together: tokens shifted, or random vectors
--   corpus_b   corpus of sae_b, as in pairs
create or replace view assignments as
select m.* exclude (method)
from matchings m
where m.method = 'assignment';
