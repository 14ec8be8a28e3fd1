-- pairs of two SAEs that activation and another measure see differently, those furthest apart first
select d.feature_a, d.feature_b, d.activation, d.value as other, d.high, d.mutual, d.n_ab, d.tokens_a, d.tokens_b, d.corpus
from disagreements_between($sae_a, $sae_b, measure := $measure, high := $high, low := $low, which := $which) d
where d.mutual or not $only_mutual
order by abs(d.activation - d.value) desc, d.feature_a, d.feature_b;
