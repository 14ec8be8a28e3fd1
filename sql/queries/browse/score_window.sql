-- the wanted scores, in the order of the list
with wanted as (
    select unnest($scores) as score_id, unnest(range(len($scores))) as place
)
select
    s.score_id,
    s.metric,
    a.alias     as alias_a,
    b.alias     as alias_b,
    s.n,
    s.value,
    s.null_mean,
    s.z,
    s.p_value,
    s.p_adjusted,
    s.space,
    s.null_kind,
    s.subset
from wanted w
join scores s using (score_id)
join sae a on a.name = s.sae_a
join sae b on b.name = s.sae_b
order by w.place;
