-- rows of the feature table for the wanted (scan, feature) pairs, in the order of the list
with wanted as (
    select unnest($scans) as scan_id, unnest($features) as feature_id, unnest(range(len($scans))) as place
)
select
    w.scan_id,
    w.feature_id,
    s.alias,
    f.n_fired,
    f.n_fired / c.n_tokens                  as density,
    f.total / nullif(f.n_fired, 0)          as mean_active,
    f.max,
    f.top_tokens[1:3]                       as top_tokens,
    (select string_agg(l.label, '; ') from feature_label l
     where l.sae_id = c.sae_id and l.feature_id = f.feature_id) as label
from wanted w
join feature_stat f on f.scan_id = w.scan_id and f.feature_id = w.feature_id
join scan c on c.scan_id = w.scan_id
join sae s on s.sae_id = c.sae_id
order by w.place;
