-- cosine of two decoder rows; no row where it would mean nothing: SAEs of different widths, models or hooks
select list_cosine_similarity(x.w_dec, y.w_dec) as cosine
from sae a
join sae b on b.d_in = a.d_in and b.model_id = a.model_id and b.hook_name = a.hook_name
join feature_vector x on x.sae_id = a.sae_id and x.feature_id = $feature_a
join feature_vector y on y.sae_id = b.sae_id and y.feature_id = $feature_b
where a.name = $sae_a and b.name = $sae_b;
