-- matched pairs of two SAEs on one corpus with both features' rows, before a condition on them
select
    m.feature_a,
    m.feature_b,
    m.value,
    m.kept,
    m.dropped_because,
    coalesce(p.rank_ab = 1 and p.rank_ba = 1, false) as mutual,
    a,
    b
from matches(
    $sae_a, $sae_b, measure := $measure, direction := $direction, min_value := $min_value, min_joint := $min_joint,
    top_tokens := $top_tokens, drop_non_concept := $drop_non_concept, shared_token := $shared_token, one_to_one := $one_to_one
) m
join pairs_both_ways p
    on p.measure = m.measure and p.corpus = m.corpus and p.sae_a = $sae_a and p.sae_b = $sae_b
    and p.feature_a = m.feature_a and p.feature_b = m.feature_b
join features a on a.sae = $sae_a and a.corpus = m.corpus and a.feature_id = m.feature_a
join features b on b.sae = $sae_b and b.corpus = m.corpus and b.feature_id = m.feature_b
where m.corpus = $corpus;
