-- the best partner of one feature in every other SAE
select
    b.alias,
    p.sae_b         as sae,
    p.feature_b     as feature_id,
    p.value,
    p.rank_ba = 1   as mutual,
    p.corpus_b      as corpus
from pairs_both_ways p
join saes b on b.sae = p.sae_b
where p.measure = 'activation' and p.sae_a = $sae and p.sae_b <> p.sae_a and p.corpus = $corpus and p.feature_a = $feature_id and p.rank_ab = 1
order by p.value desc, b.alias;
