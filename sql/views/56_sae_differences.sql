-- view:    sae_differences
-- grain:   sae, other
-- about:   in what two SAEs differ, from what their configurations state; what is not written there is not seen, so that SAEs that state the same differ in their seed at least
-- columns:
--   sae        an SAE
--   other      another
--   differ     model, hook, architecture, width, dataset, sparsity, joined by and; seed where nothing else differs
--   n_differ   how many of these, 0 for seed
--   d_sae      features of sae
--   d_other    features of other
create or replace view sae_differences as
with described as (
    select
        s.sae_id,
        s.name,
        s.model_id,
        s.hook_name,
        s.architecture,
        s.d_sae,
        coalesce(s.cfg ->> '$.metadata.dataset_path', s.cfg ->> '$.dataset_path', s.cfg ->> '$.metadata.style') as dataset,
        coalesce(s.cfg ->> '$.metadata.training_architecture_details.l1_coefficient', s.cfg ->> '$.l1_coefficient', s.cfg ->> '$.k') as sparsity
    from sae s
),
compared as (
    select
        a.name      as sae,
        b.name      as other,
        list_filter(
            [
                case when a.model_id <> b.model_id then 'model' end,
                case when a.hook_name <> b.hook_name then 'hook' end,
                case when a.architecture <> b.architecture then 'architecture' end,
                case when a.d_sae <> b.d_sae then 'width' end,
                case when a.dataset is distinct from b.dataset then 'dataset' end,
                case when a.architecture = b.architecture and a.sparsity is distinct from b.sparsity then 'sparsity' end
            ],
            lambda what: what is not null
        )           as what,
        a.d_sae,
        b.d_sae     as d_other
    from described a
    join described b on b.sae_id <> a.sae_id
)
select
    c.sae,
    c.other,
    case when len(c.what) = 0 then 'seed' else array_to_string(c.what, ' and ') end as differ,
    len(c.what) as n_differ,
    c.d_sae,
    c.d_other
from compared c;
