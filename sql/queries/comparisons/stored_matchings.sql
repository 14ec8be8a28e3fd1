-- assignments and greedy matchings stored for two SAEs, in whichever order they were computed, the newest first
select m.matching_id, m.method, m.measure, a.name as sae_a, b.name as sae_b, k.name as corpus, coalesce(l.name, k.name) as corpus_b, m.n_tokens,
       m.total, m.gap, m.certified, m.chance, m.spec_sha256,
       has_direction(m.measure) as has_direction, unit_of(m.measure, m.corpus_b is not null) as unit
from matching m
join sae a on a.sae_id = m.sae_a
join sae b on b.sae_id = m.sae_b
join corpus k on k.corpus_id = m.corpus_id
left join corpus l on l.corpus_id = m.corpus_b
where (a.name = $sae_a and b.name = $sae_b) or (a.name = $sae_b and b.name = $sae_a)
order by m.matching_id desc;
