-- tokens on which each feature of an SAE fires on a corpus, in the order of feature_id
select f.n_fired
from feature_stat f
join scan c using (scan_id)
join sae s using (sae_id)
join corpus k using (corpus_id)
where s.name = $sae and k.name = $corpus
order by f.feature_id;
