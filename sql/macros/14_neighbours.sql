-- macro:   neighbours(sae, feature, k)
-- grain:   feature_id
-- about:   the features of the same SAE whose decoder rows point most nearly the same way
-- columns:
--   feature_id  a neighbour
--   cosine      of the two decoder rows, in [-1, 1]
create or replace macro neighbours(sae, feature, k := 10) as table
with asked as (
    select
        coalesce((select s.sae_id from sae s where sae in (s.name, s.alias) order by s.name <> sae limit 1),
                 error('no SAE named ' || sae)) as asked_sae,
        feature as asked_feature,
        k as most
),
ranked as (
    select
        v.feature_id,
        list_cosine_similarity(v.w_dec, o.w_dec)                                            as cosine,
        row_number() over (order by list_cosine_similarity(v.w_dec, o.w_dec) desc, v.feature_id) as place,
        asked.most
    from asked
    join feature_vector o on o.sae_id = asked.asked_sae and o.feature_id = asked.asked_feature
    join feature_vector v on v.sae_id = o.sae_id and v.feature_id <> o.feature_id
)
select r.feature_id, r.cosine
from ranked r
where r.place <= r.most
order by r.cosine desc, r.feature_id;
