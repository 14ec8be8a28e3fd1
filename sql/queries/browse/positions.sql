-- how often one feature fires at each place of a context; places where it never does have no row
select p.position, p.n_tokens, p.n_fired
from positions p
where p.sae = $sae and p.corpus = $corpus and p.feature_id = $feature_id
order by p.position;
