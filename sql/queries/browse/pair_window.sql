-- rows of the pair list for the wanted pairs, in the order of the list; a matching may hold pairs that are nobody's stored partner
with wanted as (
    select unnest($features_a) as feature_a, unnest($features_b) as feature_b, unnest(range(len($features_a))) as place
),
stored as (
    select p.feature_a, p.feature_b, p.value, p.n_a, p.n_b, p.n_ab, coalesce(p.rank_ab = 1 and p.rank_ba = 1, false) as mutual
    from pairs_both_ways p
    where $method not in ('assignment', 'greedy')
        and p.measure = $measure and p.sae_a = $sae_a and p.sae_b = $sae_b and p.corpus = $corpus
    union all
    select m.feature_a, m.feature_b, m.value, m.n_a, m.n_b, m.n_ab, null
    from matchings_both_ways m
    where m.method = $method and m.measure = $measure and m.sae_a = $sae_a and m.sae_b = $sae_b and m.corpus = $corpus
),
seconds as (
    select p.feature_a, max(p.value) filter (p.rank_ab = 1) - max(p.value) filter (p.rank_ab = 2) as margin
    from pairs_both_ways p
    where $method not in ('assignment', 'greedy') and p.rank_ab <= 2 and p.feature_a in (select w.feature_a from wanted w)
        and p.measure = $measure and p.sae_a = $sae_a and p.sae_b = $sae_b and p.corpus = $corpus
    group by p.feature_a
)
select
    w.feature_a,
    w.feature_b,
    p.value,
    s.margin,
    p.n_a,
    p.n_b,
    p.n_ab,
    p.mutual,
    a.top_tokens[1:3]                   as tokens_a,
    b.top_tokens[1:3]                   as tokens_b
from wanted w
join stored p on p.feature_a = w.feature_a and p.feature_b = w.feature_b
left join seconds s on s.feature_a = w.feature_a
join feature_stat a on a.feature_id = w.feature_a and a.scan_id = $scan_a
join feature_stat b on b.feature_id = w.feature_b and b.scan_id = $scan_b
order by w.place;
