-- at each place of the contexts of one scan: tokens, features that fire, and the sum of their activations
with fired as (
    select p.position, sum(p.n_fired) as n_fired, sum(p.total) as total
    from feature_position p
    where p.scan_id = $scan_id
    group by p.position
)
select n.position, n.n_tokens, coalesce(f.n_fired, 0)::bigint as n_fired, coalesce(f.total, 0) as total
from scan_position n
left join fired f using (position)
where n.scan_id = $scan_id and n.n_tokens > 0
order by n.position;
