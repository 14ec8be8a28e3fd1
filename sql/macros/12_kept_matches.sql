-- macro:   kept_matches(sae_a, sae_b, measure, direction, min_value, min_joint, top_tokens, drop_non_concept, shared_token, one_to_one, method, min_density, max_density)
-- grain:   corpus, feature_a, feature_b
-- about:   the pairs of matches(…) that every filter lets pass
-- columns:
--   measure    as in pairs
--   corpus     name of the corpus
--   feature_a  feature of sae_a
--   feature_b  feature of sae_b
--   value      of the measure
--   margin     value less that of the second-best partner; null if there is none
--   n_a        tokens on which feature_a fires
--   n_b        tokens on which feature_b fires
--   n_ab       tokens on which both fire
--   tokens_a   strongest tokens of feature_a that the filters looked at
--   tokens_b   strongest tokens of feature_b that the filters looked at
--   corpus_b   corpus of sae_b, as in pairs
create or replace macro kept_matches(
    sae_a, sae_b, measure := 'activation', direction := 'a_to_b', min_value := 0.0, min_joint := 0,
    top_tokens := 5, drop_non_concept := true, shared_token := true, one_to_one := false,
    method := 'best', min_density := 0.0, max_density := 1.0
) as table
select m.* exclude (kept, dropped_because)
from matches(
    sae_a, sae_b, measure := measure, direction := direction, min_value := min_value, min_joint := min_joint,
    top_tokens := top_tokens, drop_non_concept := drop_non_concept, shared_token := shared_token, one_to_one := one_to_one,
    method := method, min_density := min_density, max_density := max_density
) m
where m.kept;
