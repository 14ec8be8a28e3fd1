-- macro:   disagreements_between(sae_a, sae_b, measure, high, low, which)
-- grain:   corpus, feature_a, feature_b
-- about:   pairs of two SAEs where activation or another measure is at least high and the other one at most low, those furthest apart first; which is activation (that one is high), measure (the other one is) or both
-- columns:
--   measure      the measure that disagrees with activation
--   sae_a        full name of the SAE named first
--   sae_b        the other SAE
--   corpus       name of the corpus of sae_a
--   feature_a    feature of sae_a
--   feature_b    feature of sae_b
--   activation   correlation of the activations
--   value        of the measure
--   high         which of the two is high: activation, or the measure
--   mutual       each is the other's best partner by the one that is high
--   n_ab         tokens on which both fire
--   tokens_a     five strongest tokens of feature_a
--   tokens_b     five strongest tokens of feature_b
create or replace macro disagreements_between(sae_a, sae_b, measure := 'logit', high := 0.7, low := 0.3, which := 'both') as table
with args as (
    select
        sae_called(sae_a)                                               as name_a,
        sae_called(sae_b)                                               as name_b,
        paired_by('activation', sae_called(sae_a), sae_called(sae_b))   as base,
        paired_by(measure, sae_called(sae_a), sae_called(sae_b))        as other,
        high                                                            as at_least,
        low                                                             as at_most,
        case when which in ('activation', 'measure', 'both') then which
             else error('which is activation, measure or both, not ' || which) end as side
),
found as materialized (
    select
        o.measure,
        p.sae_a,
        p.sae_b,
        p.corpus,
        p.feature_a,
        p.feature_b,
        p.value     as activation,
        o.value,
        case when p.value > o.value then 'activation' else o.measure end as high,
        case when p.value > o.value then coalesce(p.rank_ab = 1 and p.rank_ba = 1, false)
             else coalesce(o.rank_ab = 1 and o.rank_ba = 1, false) end as mutual,
        p.n_ab,
        p.corpus_b,
        args.side
    from args
    join pairs_both_ways p on p.measure = args.base and p.sae_a = args.name_a and p.sae_b = args.name_b
    join pairs_both_ways o on o.measure = args.other and o.sae_a = p.sae_a and o.sae_b = p.sae_b and o.corpus = p.corpus and o.corpus_b = p.corpus_b
        and o.feature_a = p.feature_a and o.feature_b = p.feature_b
    where greatest(p.value, o.value) >= args.at_least and least(p.value, o.value) <= args.at_most
)
select
    d.* exclude (corpus_b, side),
    a.top_tokens[1:5] as tokens_a,
    b.top_tokens[1:5] as tokens_b
from found d
join features a on a.sae = d.sae_a and a.corpus = d.corpus and a.feature_id = d.feature_a
join features b on b.sae = d.sae_b and b.corpus = d.corpus_b and b.feature_id = d.feature_b
where d.side = 'both' or (d.high = 'activation') = (d.side = 'activation')
order by d.corpus, abs(d.activation - d.value) desc, d.feature_a, d.feature_b;
