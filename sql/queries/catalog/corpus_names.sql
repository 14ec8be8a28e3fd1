-- names of the corpora
select k.name
from corpus k
order by k.corpus_id;
