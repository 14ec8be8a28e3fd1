-- what stands beside the wanted features of one scan, in the order of the list
with wanted as (
    select unnest($features) as feature_id, unnest(range(len($features))) as place
)
select
    w.feature_id,
    f.n_fired,
    f.n_fired / c.n_tokens  as density,
    f.max,
    f.top_tokens[1:3]       as top_tokens,
    (select string_agg(l.label, '; ') from feature_label l
     where l.sae_id = c.sae_id and l.feature_id = w.feature_id) as label
from wanted w
join feature_stat f on f.scan_id = $scan and f.feature_id = w.feature_id
join scan c on c.scan_id = f.scan_id
order by w.place;
