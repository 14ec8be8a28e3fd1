-- stored partners of one feature in one other SAE by one measure, best first
select
    p.feature_b     as feature_id,
    p.value,
    p.rank_ab,
    p.rank_ba,
    p.n_a,
    p.n_b,
    p.n_ab,
    f.top_tokens[1:3] as top_tokens
from pairs_both_ways p
join feature_stat f on f.scan_id = $scan_b and f.feature_id = p.feature_b
where p.measure = $measure and p.sae_a = $sae_a and p.sae_b = $sae_b and p.corpus = $corpus and p.feature_a = $feature_a
order by p.rank_ab nulls last, p.value desc, p.feature_b;
