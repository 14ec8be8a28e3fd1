-- decoder rows and encoder columns of one SAE, in the order of feature_id
select v.w_dec, v.w_enc
from feature_vector v
join sae s on s.sae_id = v.sae_id and s.name = $sae
order by v.feature_id;
