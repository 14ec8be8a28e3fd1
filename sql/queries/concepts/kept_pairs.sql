-- pairs of two SAEs on one corpus that every filter lets pass
select m.feature_a, m.feature_b
from matches_by($sae_a, $sae_b, $options) m
where m.kept and m.corpus = $corpus;
