-- candidate pairs of two SAEs on one corpus with what each filter says of them, best first
select m.*
from matches(
    $sae_a, $sae_b, measure := $measure, direction := $direction, min_value := $min_value, min_joint := $min_joint,
    top_tokens := $top_tokens, drop_non_concept := $drop_non_concept, shared_token := $shared_token, method := $method,
    min_density := $min_density, max_density := $max_density
) m
where m.corpus = $corpus
order by m.value desc, m.feature_a, m.feature_b;
