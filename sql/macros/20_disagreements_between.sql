-- macro:   disagreements_between(sae_a, sae_b, measure, high, low)
-- grain:   corpus, feature_a, feature_b
-- about:   pairs of two SAEs of which activation or another measure says at least high and the other one at most low, those furthest apart first
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
--   n_ab         tokens on which both fire
create or replace macro disagreements_between(sae_a, sae_b, measure := 'logit', high := 0.7, low := 0.3) as table
with args as (
    select
        sae_called(sae_a)                                               as name_a,
        sae_called(sae_b)                                               as name_b,
        paired_by('activation', sae_called(sae_a), sae_called(sae_b))   as base,
        paired_by(measure, sae_called(sae_a), sae_called(sae_b))        as other,
        high                                                            as at_least,
        low                                                             as at_most
)
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
    p.n_ab
from args
join pairs_both_ways p on p.measure = args.base and p.sae_a = args.name_a and p.sae_b = args.name_b
join pairs_both_ways o on o.measure = args.other and o.sae_a = p.sae_a and o.sae_b = p.sae_b and o.corpus = p.corpus
    and o.feature_a = p.feature_a and o.feature_b = p.feature_b
where greatest(p.value, o.value) >= args.at_least and least(p.value, o.value) <= args.at_most
order by p.corpus, abs(p.value - o.value) desc, p.feature_a, p.feature_b;
