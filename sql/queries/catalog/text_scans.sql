-- scans of an SAE with the text that each was measured on; the newest first
select k.name as corpus, k.source, c.n_tokens
from scan c
join sae s using (sae_id)
join corpus k using (corpus_id)
where s.name = $sae
order by c.finished_at desc, c.scan_id desc;
