-- every concept with the features that every scan has of it by a rule; a null for concept or sae stands for all
with sizes as (
    select c.concept, count(*) as n_keywords
    from concepts c
    group by c.concept
)
select
    z.concept,
    any_value(s.alias)                                                          as alias,
    n.sae,
    n.corpus,
    count(f.feature_id)                                                         as n_features,
    count(f.feature_id) filter (f.share >= 0.5)                                 as n_features_half,
    coalesce(list_sort(list_distinct(flatten(list(f.keywords) filter (f.keywords is not null)))), []) as keywords_found,
    any_value(z.n_keywords)                                                     as n_keywords
from sizes z
left join scans n on true
left join saes s using (sae)
left join concept_features_by($rule) f on f.concept = z.concept and f.sae = n.sae and f.corpus = n.corpus
    and f.share >= $min_share
where coalesce(z.concept = $concept, true) and coalesce(n.sae = $sae, true) and coalesce(n.corpus = $corpus, true)
group by z.concept, n.sae, n.corpus
order by z.concept, n.sae, n.corpus;
