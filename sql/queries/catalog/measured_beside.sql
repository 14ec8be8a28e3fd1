-- SAEs whose activations on as many tokens of a corpus are stored, and which of them is the one in question
select s.alias, s.name = $sae as is_itself
from scan x
join sae s using (sae_id)
join corpus k using (corpus_id)
where k.name = $corpus and x.n_tokens = $n_tokens and x.store is not null
order by s.sae_id;
