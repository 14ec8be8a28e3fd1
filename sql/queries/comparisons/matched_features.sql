-- matched pairs of two SAEs on one corpus with both features' rows, before a condition on them
select
    m.feature_a,
    m.feature_b,
    m.value,
    m.kept,
    m.dropped_because,
    a,
    b
from matches_by($sae_a, $sae_b, $options) m
join features a on a.sae = $sae_a and a.corpus = m.corpus and a.feature_id = m.feature_a
join features b on b.sae = $sae_b and b.corpus = m.corpus_b and b.feature_id = m.feature_b
where m.corpus = $corpus;
