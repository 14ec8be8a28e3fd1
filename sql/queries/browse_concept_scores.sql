-- the newest scores of a concept for two SAEs in either order, one a metric
select s.metric, a.alias as alias_a, b.alias as alias_b, s.value, s.null_mean, s.p_value, s.n
from score s
join sae a on a.sae_id = s.sae_a
join sae b on b.sae_id = s.sae_b
join run r on r.run_id = s.run_id
where list_sort([a.name, b.name]) = list_sort([$sae_a, $sae_b])
    and r.spec ->> '$.subset.concept' = $concept
qualify row_number() over (partition by s.metric, a.name order by s.score_id desc) = 1
order by s.metric, s.score_id;
