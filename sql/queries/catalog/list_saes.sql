-- every SAE with the state of its last scan
with last_scan as (
    select c.* from scans c
    qualify row_number() over (partition by c.sae order by c.finished_at desc, c.scan_id desc) = 1
)
select
    s.alias, s.sae, s.model, s.hook_name, s.architecture, s.d_in, s.d_sae, c.corpus, c.n_tokens,
    c.l0, c.n_alive, c.n_dead, c.n_dense, c.fvu
from saes s
left join last_scan c on c.sae = s.sae
order by (select e.sae_id from sae e where e.name = s.sae);
