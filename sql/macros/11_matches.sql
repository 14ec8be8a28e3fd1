-- macro:   matches(sae_a, sae_b, measure, direction, min_value, min_joint, top_tokens, drop_non_concept, shared_token, one_to_one, method, min_density, max_density)
-- grain:   corpus, feature_a, feature_b
-- about:   every candidate pair (the best partner of each choosing feature, or a stored matching) with what each filter says of it; nothing is left out. method is best; mutual; one-to-one: a partner keeps the best feature that chose it; singletons: partners that several chose are left out; first-seen: a partner keeps the chooser of the lowest id; assignment or greedy: as stored
-- columns:
--   measure          as in pairs
--   corpus           name of the corpus of sae_a
--   feature_a        feature of sae_a
--   feature_b        feature of sae_b
--   value            of the measure
--   margin           value less that of the second-best partner; null if there is none, and for a stored matching
--   n_a              tokens on which feature_a fires
--   n_b              tokens on which feature_b fires
--   n_ab             tokens on which both fire; null for measures of weights
--   tokens_a         strongest tokens of feature_a that the filters looked at
--   tokens_b         strongest tokens of feature_b that the filters looked at
--   kept             passes every filter
--   dropped_because  reasons, in the order of the filters: value, joint, density, non-concept, no shared token, not mutual, many-to-one; empty if kept
--   corpus_b         corpus of sae_b, as in pairs
create or replace macro matches(
    sae_a, sae_b, measure := 'activation', direction := 'a_to_b', min_value := 0.0, min_joint := 0,
    top_tokens := 5, drop_non_concept := true, shared_token := true, one_to_one := false,
    method := 'best', min_density := 0.0, max_density := 1.0
) as table
select m.*
from matches_by(sae_a, sae_b, {
    'measure': measure, 'direction': direction, 'top_tokens': top_tokens, 'drop_non_concept': drop_non_concept, 'shared_token': shared_token,
    'method': case when one_to_one and method = 'best' then 'one-to-one' else method end,
    'value': {'low': min_value, 'high': null}, 'joint': {'low': min_joint, 'high': null}, 'density': {'low': min_density, 'high': max_density}
}) m;
