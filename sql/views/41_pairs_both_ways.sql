-- view:    pairs_both_ways
-- grain:   measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   pairs, each also with its sides swapped, so that any SAE can be asked from its own side; pairs by a measure with a direction, and pairs inside one SAE stay as they are
-- columns:
--   measure    as in pairs
--   sae_a      the SAE asked from
--   sae_b      the other SAE
--   corpus     name of the corpus of sae_a
--   feature_a  feature of sae_a
--   feature_b  feature of sae_b
--   value      of the measure
--   rank_ab    place of feature_b among the partners of feature_a, from 1
--   rank_ba    place of feature_a among the partners of feature_b, from 1
--   n_a        tokens on which feature_a fires
--   n_b        tokens on which feature_b fires
--   n_ab       tokens on which both fire; null for measures of weights
--   corpus_b   corpus of sae_b, as in pairs
create or replace view pairs_both_ways as
select p.measure, p.sae_a, p.sae_b, p.corpus, p.feature_a, p.feature_b, p.value, p.rank_ab, p.rank_ba, p.n_a, p.n_b, p.n_ab, p.corpus_b
from pairs p
union all
select q.measure, q.sae_b, q.sae_a, q.corpus_b, q.feature_b, q.feature_a, q.value, q.rank_ba, q.rank_ab, q.n_b, q.n_a, q.n_ab, q.corpus
from pairs q
where q.sae_a <> q.sae_b and not has_direction(q.measure);
