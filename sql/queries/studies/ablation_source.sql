-- where the model and the SAE of a scan came from, and how they were run
select s.name, s.alias, s.source, s.sha256, m.source as model, m.sha256 as model_sha256, s.hook_name, s.d_sae,
       k.name as corpus, c.scan_id, c.spec
from scan c
join sae s using (sae_id)
join model m using (model_id)
join corpus k using (corpus_id)
where s.name = $sae and ($corpus is null or k.name = $corpus)
order by c.finished_at desc, c.scan_id desc
limit 1;
