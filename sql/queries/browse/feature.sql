-- one feature as one scan measured it
select f.*, s.alias, s.model, s.hook_name, s.layer, s.architecture, s.d_in, s.d_sae
from features f
join saes s on s.sae = f.sae
where f.sae = $sae and f.corpus = $corpus and f.feature_id = $feature_id;
