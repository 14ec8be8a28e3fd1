-- macro:   families_of(wanted, least)
-- about:   connected groups of mutual matches of value `least` or more by the measure `wanted`, or by each measure for itself if it is null; see view families
create or replace macro families_of(wanted := null, least := 0.0) as table
with recursive args as (  -- a parameter may not be named where a column of that name is in reach
    select wanted as which, least as least_value
),
compared as (
    select g.pairing_id, g.measure, x.scan_id as scan_a, y.scan_id as scan_b
    from pairing g
    join args on g.measure = coalesce(args.which, g.measure)
    join scan x on x.sae_id = g.sae_a and x.corpus_id = g.corpus_id
    join scan y on y.sae_id = g.sae_b and y.corpus_id = coalesce(g.corpus_b, g.corpus_id)
    where g.sae_a <> g.sae_b and not has_direction(g.measure)
),
matched as materialized (
    select c.measure, c.scan_a::bigint * 4294967296 + p.feature_a as a, c.scan_b::bigint * 4294967296 + p.feature_b as b, p.value
    from compared c
    join pair p on p.pairing_id = c.pairing_id
    join args on p.value >= args.least_value
    where p.rank_ab = 1 and p.rank_ba = 1
),
linked as materialized (
    select m.measure, m.a as node, m.b as neighbour from matched m
    union all
    select n.measure, n.b, n.a from matched n
),
labelled(measure, node, label) using key (measure, node) as (  -- every node takes the smallest label within reach
    select distinct l.measure, l.node, l.node as label
    from linked l
    union
    select n.measure, n.node, n.label
    from (  -- the smallest of the neighbours first: the other way round the planner pairs all nodes
        select l.measure, l.node, min(f.label) as label
        from labelled f
        join linked l on l.measure = f.measure and l.neighbour = f.node
        group by l.measure, l.node
    ) n
    join recurring.labelled r on r.measure = n.measure and r.node = n.node
    where n.label < r.label
),
members as materialized (
    select f.measure, f.label, f.node // 4294967296 as scan_id, f.node % 4294967296 as feature, c.sae_id, c.corpus_id
    from labelled f
    join scan c on c.scan_id = f.node // 4294967296
),
sizes as (
    select m.measure, m.label, count(*) as n_members, count(distinct m.sae_id) as n_saes
    from members m
    group by m.measure, m.label
),
matches_inside as (
    select m.measure, f.label, count(*) as n_matches, min(m.value) as least_value
    from matched m
    join labelled f on f.measure = m.measure and f.node = m.a
    group by m.measure, f.label
),
by_scan as (
    select m.measure, m.label, m.scan_id, count(*) as n
    from members m
    group by m.measure, m.label, m.scan_id
),
compared_inside as (
    select x.measure, x.label, sum(x.n * y.n)::bigint as n_compared
    from by_scan x
    join by_scan y on y.measure = x.measure and y.label = x.label
    join compared c on c.measure = x.measure and c.scan_a = x.scan_id and c.scan_b = y.scan_id
    group by x.measure, x.label
),
numbered as (  -- those over the most SAEs first, consistent ones before others, then the surest
    select
        s.*,
        i.n_matches,
        i.least_value,
        row_number() over (
            partition by s.measure
            order by s.n_saes desc, s.n_members = s.n_saes desc, i.least_value desc, s.label
        )::integer as family
    from sizes s
    join matches_inside i on i.measure = s.measure and i.label = s.label
)
select
    m.measure,
    n.family,
    s.name                  as sae,
    k.name                  as corpus,
    m.feature::integer      as feature,
    n.n_members,
    n.n_saes,
    n.n_matches,
    o.n_compared,
    n.n_members = n.n_saes  as consistent,
    n.n_matches = o.n_compared as closed,
    n.least_value
from members m
join numbered n on n.measure = m.measure and n.label = m.label
join compared_inside o on o.measure = m.measure and o.label = m.label
join sae s on s.sae_id = m.sae_id
join corpus k on k.corpus_id = m.corpus_id
order by m.measure, n.family, s.sae_id, feature;
