-- name and alias of every SAE, in order of arrival
select s.name, s.alias
from sae s
order by s.sae_id;
