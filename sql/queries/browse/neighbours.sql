-- features of the same SAE whose decoder rows point most nearly the same way; no row if no decoder is stored
with near as (
    select v.feature_id, list_cosine_similarity(v.w_dec, a.w_dec) as cosine
    from sae s
    join feature_vector a on a.sae_id = s.sae_id and a.feature_id = $feature_id
    join feature_vector v on v.sae_id = s.sae_id and v.feature_id <> $feature_id
    where s.name = $sae and list_dot_product(v.w_dec, v.w_dec) > 0 and list_dot_product(a.w_dec, a.w_dec) > 0
    order by cosine desc, v.feature_id
    limit $most
)
select n.feature_id, n.cosine, f.top_tokens[1:3] as top_tokens
from near n
join feature_stat f on f.scan_id = $scan_id and f.feature_id = n.feature_id
order by n.cosine desc, n.feature_id;
