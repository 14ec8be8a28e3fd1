-- measures by which SAEs were compared with each other
select distinct g.measure
from pairing g
where g.sae_a <> g.sae_b
order by g.measure;
