-- view:    matchings
-- grain:   method, measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   one-to-one matchings that featlas match made and stored; see assignments and greedy_matches
-- columns:
--   method     assignment or greedy
--   measure    as in pairs
--   sae_a      the SAE named first when it was made
--   sae_b      the other SAE
--   corpus     name of the corpus; where the tokenizations of one text differ, that of sae_a
--   feature_a  feature of sae_a, each at most once
--   feature_b  its partner in sae_b, each at most once
--   value      of the measure
--   n_a        tokens on which feature_a fires
--   n_b        tokens on which feature_b fires
--   n_ab       tokens on which both fire; null for measures of weights
--   total      sum of the values of the whole matching
--   gap        no other matching has a sum above total + gap; null if that is not known
--   certified  whether optimality is proved: gap is rounding
--   chance     mean value of the matching where nothing belongs together: tokens shifted, or random vectors
--   corpus_b   corpus of sae_b, as in pairs
create or replace view matchings as
select
    g.method,
    g.measure,
    a.name      as sae_a,
    b.name      as sae_b,
    k.name      as corpus,
    p.feature_a,
    p.feature_b,
    p.value,
    p.n_a,
    p.n_b,
    p.n_ab,
    g.total,
    g.gap,
    g.certified,
    g.chance,
    coalesce(l.name, k.name) as corpus_b
from matching_pair p
join matching g using (matching_id)
join sae a on a.sae_id = g.sae_a
join sae b on b.sae_id = g.sae_b
join corpus k using (corpus_id)
left join corpus l on l.corpus_id = g.corpus_b;
