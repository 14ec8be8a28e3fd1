-- macro:   feature_splits(measure, min_value)
-- grain:   sae, other, corpus, feature
-- about:   for every feature of an SAE, the features of another SAE that have it as their best partner with min_value or more: two or more in a wider SAE say that it split there
-- columns:
--   sae         name of the SAE
--   other       the SAE that was compared with it
--   corpus      name of the corpus; where the tokenizations of one text differ, that of the SAE named first when it was compared
--   feature     feature_id in sae
--   n_children  features of other that chose it
--   children    their feature_ids, highest value first
--   values      the values, in the same order
--   n_fired     tokens on which the feature fires
create or replace macro feature_splits(measure := 'masked_cosine', min_value := 0.5) as table
with args as (
    select compared_by(measure) as which, min_value as least_value
),
sides as (
    select g.pairing_id, g.sae_a as sae_id, g.sae_b as other_id, g.corpus_id, g.corpus_id as own_corpus, true as first
    from pairing g
    join args on g.measure = args.which
    where g.sae_a <> g.sae_b
    union all
    select h.pairing_id, h.sae_b, h.sae_a, h.corpus_id, coalesce(h.corpus_b, h.corpus_id), false
    from pairing h
    join args on h.measure = args.which
    where h.sae_a <> h.sae_b
),
chosen as (
    select
        d.pairing_id,
        d.sae_id,
        case when d.first then p.feature_a else p.feature_b end as feature,
        case when d.first then p.feature_b else p.feature_a end as child,
        p.value
    from sides d
    join pair p on p.pairing_id = d.pairing_id and case when d.first then p.rank_ba else p.rank_ab end = 1
    join args on p.value >= args.least_value
),
grouped as (
    select
        c.pairing_id,
        c.sae_id,
        c.feature,
        count(*)                                        as n,
        list(c.child order by c.value desc, c.child)    as children,
        list(c.value order by c.value desc, c.child)    as its_values
    from chosen c
    group by c.pairing_id, c.sae_id, c.feature
)
select
    s.name                  as sae,
    o.name                  as other,
    k.name                  as corpus,
    f.feature_id            as feature,
    coalesce(r.n, 0)        as n_children,
    r.children,
    r.its_values            as values,
    f.n_fired
from sides d
join sae s on s.sae_id = d.sae_id
join sae o on o.sae_id = d.other_id
join corpus k on k.corpus_id = d.corpus_id
join scan x on x.sae_id = d.sae_id and x.corpus_id = d.own_corpus
join feature_stat f on f.scan_id = x.scan_id
left join grouped r on r.pairing_id = d.pairing_id and r.sae_id = d.sae_id and r.feature = f.feature_id
where f.n_fired > 0
order by s.sae_id, o.sae_id, corpus, f.feature_id;
