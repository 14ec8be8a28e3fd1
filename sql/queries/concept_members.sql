select f.feature_id
from concept_features f
where f.sae = $sae and f.corpus = $corpus and f.concept = $concept and f.share >= $min_share;
