-- the best of those partners
select p.scan_id, p.feature_id, max(p.value) as value, bool_or(p.mutual) as mutual
from partners p
group by p.scan_id, p.feature_id
