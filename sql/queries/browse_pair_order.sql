-- candidate pairs of two SAEs with the filters' verdict, best first: ids and verdict only, the rows are read in windows
select m.feature_a, m.feature_b, m.kept, array_to_string(m.dropped_because, ', ') as dropped_because
from matches($sae_a, $sae_b) m
where m.corpus = $corpus
order by m.value desc, m.feature_a, m.feature_b;
