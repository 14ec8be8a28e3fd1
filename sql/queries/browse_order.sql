-- features of some scans (all if the list is empty) that hold a text, in order: ids only, the rows are read in windows
with keyed as (
    select
        f.scan_id,
        f.feature_id,
        case $sort
            when 'density' then f.n_fired / c.n_tokens
            when 'mean'    then f.total / nullif(f.n_fired, 0)
            when 'max'     then f.max
            when 'feature' then -f.feature_id
        end as key
    from feature_stat f
    join scan c using (scan_id)
    left join (
        select l.sae_id, l.feature_id, string_agg(l.label, ' ') as label
        from feature_label l
        group by l.sae_id, l.feature_id
    ) l on l.sae_id = c.sae_id and l.feature_id = f.feature_id
    where (len($scans) = 0 or list_contains($scans, f.scan_id))
        and ($text = '' or contains(lower(array_to_string(f.top_tokens, chr(31))), lower($text))
            or contains(lower(l.label), lower($text)))
)
select k.scan_id, k.feature_id
from keyed k
order by case when $ascending then -k.key else k.key end desc nulls last, k.scan_id, k.feature_id
limit $most;
