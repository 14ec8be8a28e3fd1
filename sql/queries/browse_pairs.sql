-- candidate pairs of two SAEs on one corpus with what each filter says of them, best first
select m.*
from matches(
    $sae_a, $sae_b, direction := $direction, min_value := $min_value, min_joint := $min_joint, top_tokens := $top_tokens,
    drop_non_concept := $drop_non_concept, shared_token := $shared_token, one_to_one := $one_to_one
) m
where m.corpus = $corpus
order by m.value desc, m.feature_a, m.feature_b;
