-- how many pairs a stored matching holds
select count(*) as n_pairs
from matching_pair p
where p.matching_id = $matching_id;
