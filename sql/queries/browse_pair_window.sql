-- rows of the pair list for the wanted pairs, in the order of the list
with wanted as (
    select unnest($features_a) as feature_a, unnest($features_b) as feature_b, unnest(range(len($features_a))) as place
)
select
    w.feature_a,
    w.feature_b,
    p.value,
    p.n_a,
    p.n_b,
    p.n_ab,
    p.rank_ab = 1 and p.rank_ba = 1     as mutual,
    a.top_tokens[1:3]                   as tokens_a,
    b.top_tokens[1:3]                   as tokens_b
from wanted w
join pairs_both_ways p on p.feature_a = w.feature_a and p.feature_b = w.feature_b
    and p.measure = 'activation' and p.sae_a = $sae_a and p.sae_b = $sae_b and p.corpus = $corpus
join feature_stat a on a.feature_id = w.feature_a and a.scan_id = $scan_a
join feature_stat b on b.feature_id = w.feature_b and b.scan_id = $scan_b
order by w.place;
