-- every stored pair of one pairing, and whether one of the two features is the other's best partner
select
    p.feature_a,
    p.feature_b,
    coalesce(p.rank_ab = 1, false) or coalesce(p.rank_ba = 1, false) as is_best
from pair p
where p.pairing_id = $pairing_id;
