-- features of one SAE that fire on a corpus, with what random partners are matched on
select f.feature_id, f.n_fired, f.decoder_norm
from features f
where f.sae = $sae and f.corpus = $corpus and f.n_fired > 0
order by f.feature_id;
