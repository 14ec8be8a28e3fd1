-- how many scores of each metric are stored, and how many of them are beyond their null
select c.metric, count(*) as n, count(*) filter (c.p_value <= 0.05) as n_beyond
from score c
group by c.metric
order by n desc, c.metric;
