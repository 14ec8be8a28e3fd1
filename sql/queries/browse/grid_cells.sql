-- cells of one grid with their places: rows and columns in the order of model, layer and name
select
    dense_rank() over (order by m.name, a.layer nulls last, a.name) - 1 as row_place,
    dense_rank() over (order by o.name, b.layer nulls last, b.name) - 1 as column_place,
    a.name              as sae_a,
    a.alias             as alias_a,
    a.layer             as layer_a,
    b.name              as sae_b,
    b.alias             as alias_b,
    b.layer             as layer_b,
    c.score_id,
    c.problem,
    s.n,
    s.value,
    s.null_mean,
    s.null_std,
    s.p_value,
    c.p_adjusted,
    s.low,
    s.high,
    s.dims_a,
    s.dims_b,
    s.forced,
    k.name              as corpus,
    coalesce(l.name, k.name) as corpus_b
from grid_cell c
join sae a on a.sae_id = c.sae_a
join model m on m.model_id = a.model_id
join sae b on b.sae_id = c.sae_b
join model o on o.model_id = b.model_id
left join score s on s.score_id = c.score_id
left join corpus k on k.corpus_id = s.corpus_id
left join corpus l on l.corpus_id = s.corpus_b
where c.grid_id = $grid
order by row_place, column_place;
