-- the best partner of every feature in every other SAE it was compared with on its corpus
select c.scan_id, p.feature_a as feature_id, g.sae_b as other, p.value, p.rank_ba = 1 as mutual
from pairing g
join scan c on c.sae_id = g.sae_a and c.corpus_id = g.corpus_id
join pair p on p.pairing_id = g.pairing_id
where g.measure = 'activation' and g.sae_a <> g.sae_b and p.rank_ab = 1
union all
select c.scan_id, p.feature_b, g.sae_a, p.value, p.rank_ab = 1
from pairing g
join scan c on c.sae_id = g.sae_b and c.corpus_id = coalesce(g.corpus_b, g.corpus_id)
join pair p on p.pairing_id = g.pairing_id
where g.measure = 'activation' and g.sae_a <> g.sae_b and p.rank_ba = 1
