-- macro:   neighbours(sae, feature, k)
-- grain:   feature_id
-- about:   the features of the same SAE whose decoder rows point most nearly the same way
-- columns:
--   feature_id  a neighbour
--   cosine      of the two decoder rows, in [-1, 1]
create or replace macro neighbours(sae, feature, k := 10) as table
with asked as (
    select
        s.sae_id,
        feature as asked_feature,
        k       as most,
        coalesce((select v.w_dec from feature_vector v where v.sae_id = s.sae_id and v.feature_id = feature),
                 error('no feature ' || feature || ' in ' || sae)) as direction
    from sae s
    where s.name = sae_called(sae)
),
cosines as (
    select v.feature_id, list_cosine_similarity(v.w_dec, a.direction) as cosine, a.most
    from asked a
    join feature_vector v on v.sae_id = a.sae_id and v.feature_id <> a.asked_feature
    where list_dot_product(v.w_dec, v.w_dec) > 0  -- a row of zeros points nowhere
)
select c.feature_id, c.cosine
from cosines c
qualify row_number() over (order by c.cosine desc, c.feature_id) <= c.most
order by c.cosine desc, c.feature_id;
