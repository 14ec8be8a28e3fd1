-- two SAEs that could be compared by their activations and were not: measured on the same tokens, activations kept
with kept as (
    select c.scan_id, s.sae_id, s.alias, s.name, c.corpus_id, c.n_tokens
    from scan c
    join sae s using (sae_id)
    where c.store is not null
)
select a.alias as alias_a, b.alias as alias_b, k.name as corpus, count(*) over () as n_missing
from kept a
join kept b on b.corpus_id = a.corpus_id and b.n_tokens = a.n_tokens and b.sae_id > a.sae_id
join corpus k on k.corpus_id = a.corpus_id
where not exists (
    select 1
    from pairing g
    where g.measure = 'activation' and g.corpus_id = a.corpus_id and ((g.sae_a = a.sae_id and g.sae_b = b.sae_id) or (g.sae_a = b.sae_id and g.sae_b = a.sae_id))
)
order by a.sae_id, b.sae_id, k.corpus_id
limit $most;
