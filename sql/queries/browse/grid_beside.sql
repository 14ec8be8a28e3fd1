-- the newest score of every other metric on the pairs of features of one score
select o.metric, arg_max(o.value, o.score_id) as value
from score s
join score o on o.sae_a = s.sae_a and o.sae_b = s.sae_b and o.subset_sha256 = s.subset_sha256 and o.space = s.space
    and o.metric <> s.metric
where s.score_id = $score
group by o.metric
order by o.metric;
