-- features that one scan has of a concept by a rule, those of the largest share first
select n.scan_id, f.feature_id
from concept_features_by($rule) f
join scans n on n.sae = f.sae and n.corpus = f.corpus
where f.concept = $concept and f.sae = $sae and f.corpus = $corpus
order by f.share desc, f.best_rank, f.feature_id;
