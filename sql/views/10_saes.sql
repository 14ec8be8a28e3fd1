-- view:    saes
-- grain:   sae
-- about:   every SAE of this atlas
-- columns:
--   sae           its name; unique
--   alias         a letter that stands for it in commands: A, B, C …
--   model         the language model it was trained on
--   hook_name     the point of the model it reads, as TransformerLens names it
--   layer         block of that point, from 0; null outside the blocks
--   architecture  standard, topk, jumprelu, gated, …
--   d_in          width of the activations it reads
--   d_sae         its number of features
--   source        release/sae_id or folder it was loaded from
--   n_scans       corpora it was measured on
create or replace view saes as
select
    s.name         as sae,
    s.alias,
    m.name         as model,
    s.hook_name,
    s.layer,
    s.architecture,
    s.d_in,
    s.d_sae,
    s.source,
    count(c.scan_id) as n_scans
from sae s
join model m using (model_id)
left join scan c using (sae_id)
group by all;
