-- features of one SAE that belong to a concept by a rule: share, paper or word
select f.feature_id
from concept_features_by($rule) f
where f.sae = $sae and f.corpus = $corpus and f.concept = $concept and f.share >= $min_share;
