-- (scan, feature) of the features that a filter lets through, in order; the filter language fills the places in comments
with /* before */ keyed as (
    select f.scan_id, f.feature_id, /* key */ as key
    from feature_stat f
    join scan c on c.scan_id = f.scan_id
    /* joins */
    where (len($scans) = 0 or list_contains($scans, f.scan_id))
        /* where */
)
select k.scan_id, k.feature_id /* place */
from keyed k
order by k.key /* direction */ nulls last, k.scan_id, k.feature_id
limit $most
