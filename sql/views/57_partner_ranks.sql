-- view:    partner_ranks
-- grain:   measure, sae, other, corpus, rank
-- about:   how the value of the partners of the features of one SAE in another falls from the best to the fourth; slowly, where several features share one direction
-- columns:
--   measure    as in pairs
--   sae        the SAE asked from
--   other      the other SAE
--   corpus     name of the corpus of sae
--   rank       1 for the best partner of each feature, to 4
--   n          features with a partner of that rank
--   mean       mean value
--   median     median value
--   share_70   share of these features with a value of 0.7 or more
create or replace view partner_ranks as
select
    p.measure,
    p.sae_a                             as sae,
    p.sae_b                             as other,
    p.corpus,
    p.rank_ab                           as rank,
    count(*)                            as n,
    avg(p.value)                        as mean,
    median(p.value)                     as median,
    avg((p.value >= 0.7)::integer)      as share_70
from pairs_both_ways p
where p.rank_ab <= 4 and p.sae_a <> p.sae_b
group by p.measure, p.sae_a, p.sae_b, p.corpus, p.rank_ab;
