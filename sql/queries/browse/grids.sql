-- every stored grid with what its scores rest on, the newest first
select
    g.grid_id,
    g.metric,
    count(*)                            as n_cells,
    count(c.score_id)                   as n_scored,
    coalesce(any_value(s.subset), '')   as subset,
    coalesce(any_value(s.space), '')    as space,
    coalesce(any_value(s.null_kind), '') as null_kind,
    coalesce(max(s.null_n), 0)          as null_n,
    g.created_at,
    g.run_id,
    coalesce(any_value(r.command), '')  as command
from grid g
left join grid_cell c using (grid_id)
left join score s on s.score_id = c.score_id
left join run r on r.run_id = g.run_id
group by g.grid_id, g.metric, g.created_at, g.run_id
order by g.grid_id desc;
