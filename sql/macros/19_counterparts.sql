-- macro:   counterparts(measure, min_value)
-- grain:   sae, corpus, feature
-- about:   for every feature of every compared SAE, in how many of the other SAEs it has a counterpart: a mutual match of at least min_value
-- columns:
--   sae             name of the SAE
--   corpus          name of the corpus
--   feature         feature_id in sae
--   n_compared      other SAEs that sae was compared with by the measure on this corpus
--   n_counterparts  those in which the feature has a counterpart; 0 is an orphan of the whole set
--   mean_value      mean value of its counterparts; null if it has none
--   n_fired         tokens on which the feature fires
create or replace macro counterparts(measure := 'activation', min_value := 0.0) as table
with args as (
    select compared_by(measure) as which, min_value as least_value
),
comparisons as (
    select g.pairing_id, g.sae_a as sae_id, g.corpus_id, true as forward
    from pairing g
    join args on g.measure = args.which
    where g.sae_a <> g.sae_b
    union all
    select h.pairing_id, h.sae_b, coalesce(h.corpus_b, h.corpus_id), false
    from pairing h
    join args on h.measure = args.which
    where h.sae_a <> h.sae_b
),
mutual as (
    select p.pairing_id, p.feature_a, p.feature_b, p.value
    from pair p
    join args on p.value >= args.least_value
    where p.rank_ab = 1 and p.rank_ba = 1
),
found as (
    select c.sae_id, c.corpus_id, case when c.forward then m.feature_a else m.feature_b end as feature, count(*) as n, avg(m.value) as mean_value
    from comparisons c
    join mutual m on m.pairing_id = c.pairing_id
    group by c.sae_id, c.corpus_id, feature
),
compared as (
    select c.sae_id, c.corpus_id, count(*) as n_compared
    from comparisons c
    group by c.sae_id, c.corpus_id
)
select
    s.name              as sae,
    k.name              as corpus,
    f.feature_id        as feature,
    c.n_compared,
    coalesce(n.n, 0)    as n_counterparts,
    n.mean_value,
    f.n_fired
from compared c
join sae s on s.sae_id = c.sae_id
join corpus k on k.corpus_id = c.corpus_id
join scan x on x.sae_id = c.sae_id and x.corpus_id = c.corpus_id
join feature_stat f on f.scan_id = x.scan_id
left join found n on n.sae_id = c.sae_id and n.corpus_id = c.corpus_id and n.feature = f.feature_id
order by s.sae_id, corpus, feature;
