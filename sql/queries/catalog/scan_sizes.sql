-- tokens and stored activations of an SAE's scan on a corpus
select c.n_tokens, c.n_nonzero
from scan c
join sae s using (sae_id)
join corpus k using (corpus_id)
where s.name = $sae and k.name = $corpus;
