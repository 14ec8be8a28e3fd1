-- the best partner of one feature in every other SAE by every stored measure
select
    b.alias,
    p.sae_b         as sae,
    p.measure,
    p.feature_b     as feature_id,
    p.value,
    p.rank_ba = 1   as mutual
from pairs_both_ways p
join sae b on b.name = p.sae_b
where p.sae_a = $sae and p.sae_b <> p.sae_a and p.corpus = $corpus and p.feature_a = $feature_id and p.rank_ab = 1
order by b.sae_id, p.measure = 'activation' desc, p.measure;
