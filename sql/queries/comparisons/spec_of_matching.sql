-- what was asked for when a stored matching was made
select r.spec
from matching m
join run r using (run_id)
where m.matching_id = $matching_id;
