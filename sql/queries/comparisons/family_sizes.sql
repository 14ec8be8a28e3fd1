-- the families of co-occurrence of one SAE, largest first, and how many features are in any
select
    c.family,
    any_value(c.n_members)                                                  as n_members,
    max(c.depth)                                                            as depth,
    any_value(case when c.mean_below > 0 then c.mean_with_head / c.mean_below else 'infinity'::double end) as quality,
    (
        select count(distinct d.feature)
        from cooccurrence_families d
        where d.sae = $sae and d.corpus = $corpus
    )                                                                       as n_distinct
from cooccurrence_families c
where c.sae = $sae and c.corpus = $corpus
group by c.family
order by c.family;
