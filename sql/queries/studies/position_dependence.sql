-- Every feature that fires of one SAE on one corpus, those that depend most on their place first.
from position_dependence(first_places := $first)
where sae = $sae and corpus = $corpus
order by cramers_v desc nulls last, feature_id
