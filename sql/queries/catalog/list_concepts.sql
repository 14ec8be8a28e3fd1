-- every concept with the features found for it, SAE by SAE
select
    k.concept,
    f.sae,
    f.corpus,
    count(distinct f.feature_id)                                        as n_features,
    count(distinct f.feature_id) filter (f.share >= 0.5)                as n_features_half,
    list_sort(list_distinct(flatten(list(f.keywords))))                 as keywords_found,
    any_value(k.n_keywords)                                             as n_keywords
from (select c.concept, count(*) as n_keywords from concepts c group by c.concept) k
left join concept_features f using (concept)
group by k.concept, f.sae, f.corpus
order by k.concept, f.sae, f.corpus;
