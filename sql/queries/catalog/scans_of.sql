-- scans of one SAE with what identifies their corpus; the newest first
select c.scan_id, k.name as corpus, c.n_tokens, s.d_sae, c.store, c.spec_sha256, t.sha256 as tokenizer, k.context_length, k.prepend_bos
from scan c
join sae s using (sae_id)
join corpus k using (corpus_id)
join tokenizer t on t.tokenizer_id = k.tokenizer_id
where s.name = $sae
order by c.finished_at desc, c.scan_id desc;
