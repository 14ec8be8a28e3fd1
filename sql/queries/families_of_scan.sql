-- the families of co-occurrence stored for a scan, and the spec of the run that found them
select
    r.spec_sha256,
    max(f.family)                   as n_families,
    count(distinct f.feature_id)    as n_members,
    median(case when f.below > 0 then f.with_head / f.below else 'infinity'::double end) filter (f.parent_id is null) as quality
from feature_family f
join run r using (run_id)
where f.scan_id = $scan_id
group by r.spec_sha256;
