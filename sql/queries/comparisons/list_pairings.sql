-- every pairing with the number of pairs it stores
select p.measure, a.alias as alias_a, b.alias as alias_b, a.name as sae_a, b.name as sae_b, k.name as corpus,
       coalesce(l.name, k.name) as corpus_b,
       (select count(*) from pair q where q.pairing_id = p.pairing_id) as n_pairs, p.n_tokens, p.median_best, p.chance
from pairing p
join sae a on a.sae_id = p.sae_a
join sae b on b.sae_id = p.sae_b
join corpus k on k.corpus_id = p.corpus_id
left join corpus l on l.corpus_id = p.corpus_b
order by p.pairing_id;
