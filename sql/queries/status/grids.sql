-- stored grids, in order of arrival
select g.grid_id, g.metric, count(*) as n_cells, count(c.score_id) as n_scored,
    count(distinct c.sae_a) as n_rows, count(distinct c.sae_b) as n_columns
from grid g
join grid_cell c using (grid_id)
group by g.grid_id, g.metric
order by g.grid_id;
