-- (scan, feature) of the features that a filter lets through, in order; the filter language fills the places in comments
with labels as (
    select l.sae_id, l.feature_id, string_agg(l.label, '; ' order by l.source, l.label) as label
    from feature_label l
    group by l.sae_id, l.feature_id
),
partners as (
    select c.scan_id, p.feature_a as feature_id, g.sae_b as other, p.value, p.rank_ba = 1 as mutual
    from pairing g
    join scan c on c.sae_id = g.sae_a and c.corpus_id = g.corpus_id
    join pair p on p.pairing_id = g.pairing_id
    where g.measure = 'activation' and g.sae_a <> g.sae_b and p.rank_ab = 1
    union all
    select c.scan_id, p.feature_b, g.sae_a, p.value, p.rank_ab = 1
    from pairing g
    join scan c on c.sae_id = g.sae_b and c.corpus_id = coalesce(g.corpus_b, g.corpus_id)
    join pair p on p.pairing_id = g.pairing_id
    where g.measure = 'activation' and g.sae_a <> g.sae_b and p.rank_ba = 1
),
best as (
    select p.scan_id, p.feature_id, max(p.value) as value, bool_or(p.mutual) as mutual
    from partners p
    group by p.scan_id, p.feature_id
),
keyed as (
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
