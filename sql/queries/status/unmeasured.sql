-- SAEs that were measured on no corpus, and scans that kept no activations
select s.alias, s.name as sae, null as corpus
from sae s
where not exists (select 1 from scan c where c.sae_id = s.sae_id)
union all
select s.alias, s.name, k.name
from scan c
join sae s using (sae_id)
join corpus k using (corpus_id)
where c.store is null
order by alias, corpus;
