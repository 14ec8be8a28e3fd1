-- every SAE measured on a corpus, with what a study groups by
select
    s.name, s.alias, m.name, s.hook_name, s.layer, s.architecture, s.d_in, s.d_sae, s.source,
    k.name, c.scan_id, c.n_tokens
from scan c
join sae s using (sae_id)
join model m using (model_id)
join corpus k using (corpus_id)
order by m.name, s.layer nulls last, s.name, k.name;
