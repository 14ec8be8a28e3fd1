-- one feature's activation pooled over documents, whole documents first
select p.*
from document_pooling p
where p.sae = $sae and p.corpus = $corpus and p.feature_id = $feature_id
order by p.truncation nulls first;
