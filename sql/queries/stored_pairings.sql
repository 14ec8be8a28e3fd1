-- pairings stored for two SAEs on a corpus, in whichever order they were computed; the newest first
select p.pairing_id, p.measure, a.name as sae_a, b.name as sae_b, p.n_tokens, p.median_best, p.chance, p.median_best_ba, p.chance_ba,
       p.chance_shift, p.null_n_a, p.null_n_b, p.spec_sha256
from pairing p
join sae a on a.sae_id = p.sae_a
join sae b on b.sae_id = p.sae_b
join corpus k using (corpus_id)
where k.name = $corpus and ((a.name = $sae_a and b.name = $sae_b) or (a.name = $sae_b and b.name = $sae_a))
order by p.pairing_id desc;
