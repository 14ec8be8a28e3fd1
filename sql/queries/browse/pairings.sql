-- every stored pairing with what judges it, in order of arrival
select
    p.pairing_id,
    p.measure,
    a.alias         as alias_a,
    a.name          as sae_a,
    b.alias         as alias_b,
    b.name          as sae_b,
    k.name          as corpus,
    p.n_tokens,
    p.top_k,
    p.median_best,
    p.chance,
    p.run_id,
    coalesce(l.name, k.name) as corpus_b,
    p.median_best_ba,
    p.chance_ba,
    has_direction(p.measure) as has_direction,
    is_bounded(p.measure)    as is_bounded
from pairing p
join sae a on a.sae_id = p.sae_a
join sae b on b.sae_id = p.sae_b
join corpus k on k.corpus_id = p.corpus_id
left join corpus l on l.corpus_id = p.corpus_b
order by p.pairing_id;
