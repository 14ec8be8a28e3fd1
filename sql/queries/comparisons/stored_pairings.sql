-- pairings stored for two SAEs on a corpus, or on two cuts of a text, in whichever order they were computed; the newest first
select p.pairing_id, p.measure, a.name as sae_a, b.name as sae_b, p.n_tokens, p.median_best, p.chance, p.median_best_ba, p.chance_ba,
       p.chance_shift, p.null_n_a, p.null_n_b, p.run_id, p.spec_sha256
from pairing p
join sae a on a.sae_id = p.sae_a
join sae b on b.sae_id = p.sae_b
join corpus k on k.corpus_id = p.corpus_id
join corpus l on l.corpus_id = coalesce(p.corpus_b, p.corpus_id)
where (a.name = $sae_a and b.name = $sae_b and k.name = $corpus and l.name = $corpus_b)
   or (a.name = $sae_b and b.name = $sae_a and k.name = $corpus_b and l.name = $corpus)
order by p.pairing_id desc;
