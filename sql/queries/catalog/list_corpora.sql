-- every corpus with the number of SAEs measured on it
select k.name as corpus, k.n_tokens, k.n_documents, k.n_contexts, k.context_length, k.prepend_bos, k.tokenizer_id as tokenizer,
       count(c.scan_id) as n_scans, k.source
from corpus k
left join scan c using (corpus_id)
group by all
order by k.name;
