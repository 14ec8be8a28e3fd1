-- candidate pairs of two SAEs on one corpus with what each filter says of them, best first
select m.*
from matches_by($sae_a, $sae_b, $options) m
where m.corpus = $corpus
order by m.value desc, m.feature_a, m.feature_b;
