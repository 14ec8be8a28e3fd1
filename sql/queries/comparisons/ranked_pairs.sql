-- the pairs that a pairing stored because one feature is among the best of the other
select p.feature_a, p.feature_b, p.value, p.n_a, p.n_b, p.n_ab
from pair p
where p.pairing_id = $pairing_id and (p.rank_ab is not null or p.rank_ba is not null)
order by p.feature_a, p.feature_b;
