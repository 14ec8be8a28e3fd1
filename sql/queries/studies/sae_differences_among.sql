-- in what any two SAEs differ, both ways, fewest differences first
select d.sae, d.other, d.differ, d.n_differ
from sae_differences d
order by d.n_differ, d.differ, d.sae, d.other;
