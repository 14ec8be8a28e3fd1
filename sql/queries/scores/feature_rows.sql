-- decoder rows and encoder columns of some features of one SAE, in the order of feature_id
select v.feature_id, v.w_dec, v.w_enc
from feature_vector v
join sae s on s.sae_id = v.sae_id and s.name = $sae
join (select unnest($features) as feature_id) w on w.feature_id = v.feature_id
order by v.feature_id;
