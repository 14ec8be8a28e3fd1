-- features that one scan has of every keyword of a concept by a rule; (all) is the concept as a whole
select m.keyword, count(*) as n_features
from (
    select f.feature_id, unnest(list_prepend('(all)', f.keywords)) as keyword
    from concept_features_by($rule) f
    where f.concept = $concept and f.sae = $sae and f.corpus = $corpus
) m
group by m.keyword
order by m.keyword <> '(all)', n_features desc, m.keyword;
