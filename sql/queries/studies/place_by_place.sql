-- Place by place, how often and how strongly some features fire; silent places left out.
select
    p.sae,
    p.corpus,
    p.feature_id,
    p.position,
    p.n_tokens,
    p.n_fired,
    p.n_fired / p.n_tokens as density,
    p.mean,
    p.std
from positions p
where p.sae = $sae and p.corpus = $corpus and p.feature_id in (select unnest($ids::integer[]))
order by p.feature_id, p.position
