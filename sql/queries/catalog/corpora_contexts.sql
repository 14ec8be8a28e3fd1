-- corpora of a tokenizer with contexts of one length, packing and BOS choice
select k.corpus_id, k.name, k.sha256, k.n_contexts
from corpus k
join tokenizer t using (tokenizer_id)
where t.sha256 = $tokenizer and k.context_length = $length and k.prepend_bos = $bos and k.packing = $packing
order by k.corpus_id;
