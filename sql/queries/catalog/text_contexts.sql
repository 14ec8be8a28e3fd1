-- token ids of the first contexts of a corpus and the document of each, -1 for special tokens
select x.token_ids, x.documents
from context x
join corpus k using (corpus_id)
where k.name = $corpus and x.first_token < $n_tokens
order by x.context_id;
