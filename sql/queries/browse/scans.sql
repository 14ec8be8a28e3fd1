-- every scan with its SAE, in order of arrival: what the overview lists
select
    c.scan_id,
    s.alias,
    s.name          as sae,
    m.name          as model,
    s.hook_name,
    s.layer,
    s.architecture,
    s.d_in,
    s.d_sae,
    k.name          as corpus,
    c.n_tokens,
    v.l0,
    v.n_alive,
    v.n_dead,
    v.n_dense,
    v.fvu
from scan c
join sae s using (sae_id)
join model m using (model_id)
join corpus k using (corpus_id)
join scans v on v.scan_id = c.scan_id
order by s.sae_id, c.finished_at, c.scan_id;
