-- the families of co-occurrence stored for a scan
select
    coalesce(max(f.family), 0)      as n_families,
    count(distinct f.feature_id)    as n_members,
    median(case when f.mean_below > 0 then f.mean_with_head / f.mean_below else 'infinity'::double end)
        filter (f.parent_id is null) as quality
from feature_family f
where f.scan_id = $scan_id;
