-- text of every token of a corpus's tokenizer
select v.token_id, v.text
from vocab v
join corpus k using (tokenizer_id)
where k.name = $corpus
order by v.token_id;
