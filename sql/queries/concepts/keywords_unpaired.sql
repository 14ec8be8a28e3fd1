-- as concept_keywords, of two SAEs without stored pairs
with members as materialized (
    select f.concept, f.sae = $sae_a as of_a, f.feature_id, unnest(list_prepend('(all)', f.keywords)) as keyword
    from concept_features_by($rule) f
    where ((f.sae = $sae_a and f.corpus = $corpus) or (f.sae = $sae_b and f.corpus = $corpus_b))
        and f.share >= $min_share and coalesce(f.concept = $concept, true)
),
found as (
    select
        m.concept,
        m.keyword,
        count(*) filter (m.of_a)      as n_features_a,
        count(*) filter (not m.of_a)  as n_features_b
    from members m
    group by m.concept, m.keyword
)
select
    f.concept,
    f.keyword,
    f.n_features_a,
    f.n_features_b,
    null::bigint as n_pairs
from found f
order by f.concept, f.keyword <> '(all)', f.n_features_a + f.n_features_b desc, f.keyword;
