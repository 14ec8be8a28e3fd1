-- pairings stored for two SAEs, in whichever order they were computed, the newest first
select p.pairing_id, p.measure, a.name as sae_a, b.name as sae_b, k.name as corpus, coalesce(l.name, k.name) as corpus_b, p.n_tokens, p.top_k, p.median_best, p.chance, p.median_best_ba, p.chance_ba,
       p.chance_shift, p.null_n_a, p.null_n_b, p.run_id, p.spec_sha256,
       has_direction(p.measure) as has_direction, unit_of(p.measure, p.corpus_b is not null) as unit
from pairing p
join sae a on a.sae_id = p.sae_a
join sae b on b.sae_id = p.sae_b
join corpus k on k.corpus_id = p.corpus_id
left join corpus l on l.corpus_id = p.corpus_b
where (a.name = $sae_a and b.name = $sae_b) or (a.name = $sae_b and b.name = $sae_a)
order by p.pairing_id desc;
