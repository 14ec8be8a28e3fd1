-- features of two SAEs that have a keyword, and which of the given pairs have it on both sides; (all) is the concept as a whole
with members as materialized (
    select f.concept, f.sae = $sae_a as of_a, f.feature_id, unnest(list_prepend('(all)', f.keywords)) as keyword
    from concept_features_by($rule) f
    where ((f.sae = $sae_a and f.corpus = $corpus) or (f.sae = $sae_b and f.corpus = $corpus_b))
        and f.share >= $min_share and coalesce(f.concept = $concept, true)
),
given as (
    select unnest($features_a::bigint[]) as feature_a, unnest($features_b::bigint[]) as feature_b
),
pairs as (
    select a.concept, a.keyword, count(*) as n_pairs
    from given p
    join members a on a.of_a and a.feature_id = p.feature_a
    join members b on not b.of_a and b.feature_id = p.feature_b and b.concept = a.concept and b.keyword = a.keyword
    group by a.concept, a.keyword
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
    case when $features_a is not null then coalesce(p.n_pairs, 0) end as n_pairs
from found f
left join pairs p using (concept, keyword)
order by f.concept, f.keyword <> '(all)', f.n_features_a + f.n_features_b desc, f.keyword;
