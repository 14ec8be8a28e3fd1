-- view:    matchings_both_ways
-- grain:   method, measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   matchings, each also with its SAEs swapped
-- columns:
--   method     assignment or greedy
--   measure    as in pairs
--   sae_a      the SAE asked from
--   sae_b      the other SAE
--   corpus     name of the corpus of sae_a
--   feature_a  feature of sae_a
--   feature_b  feature of sae_b
--   value      of the measure
--   n_a        tokens on which feature_a fires
--   n_b        tokens on which feature_b fires
--   n_ab       tokens on which both fire; null for measures of weights
--   corpus_b   corpus of sae_b, as in pairs
create or replace view matchings_both_ways as
select p.method, p.measure, p.sae_a, p.sae_b, p.corpus, p.feature_a, p.feature_b, p.value, p.n_a, p.n_b, p.n_ab, p.corpus_b
from matchings p
union all
select q.method, q.measure, q.sae_b, q.sae_a, q.corpus_b, q.feature_b, q.feature_a, q.value, q.n_b, q.n_a, q.n_ab, q.corpus
from matchings q
where q.sae_a <> q.sae_b;
