-- macro:   shared_features(sae_a, sae_b, rule, measure, threshold)
-- grain:   corpus, feature
-- about:   every feature of sae_a with its counterpart in sae_b by a named rule, and whether it is shared. rule is paulo-belrose: the assignments by decoder and by encoder give the same counterpart, at cosines of at least the threshold both (arXiv 2501.16615); assignment: the assignment by the measure only, by decoder the rule of arXiv 2506.17673; top-1: the best partner by the measure, which several may share
-- columns:
--   corpus           name of the corpus of sae_a
--   feature          feature_id in sae_a
--   partner          its counterpart in sae_b; by decoder for paulo-belrose; null if it has none
--   value            of the measure; decoder cosine for paulo-belrose
--   encoder_partner  counterpart by the encoder assignment; null for other rules
--   encoder_value    encoder cosine of that pair; null for other rules
--   least_value      what the threshold is held against: the smaller of value and encoder_value
--   n_fired          tokens on which the feature fires
--   is_shared        passes the rule; a feature that does not is an orphan
--   orphan_because   never fires, no counterpart, no or another counterpart by encoder, or under the threshold; null if shared
--   rule             the rule
--   measure          the measure; decoder for paulo-belrose, which looks at the encoder too
--   threshold        the threshold
create or replace macro shared_features(sae_a, sae_b, rule := 'paulo-belrose', measure := 'decoder', threshold := 0.7) as table
with args as (
    select
        sae_called(sae_a)   as name_a,
        sae_called(sae_b)   as name_b,
        case when rule = 'paulo-belrose' then matched_by('assignment', 'decoder', sae_called(sae_a), sae_called(sae_b))
             when rule = 'assignment' then matched_by('assignment', measure, sae_called(sae_a), sae_called(sae_b))
             when rule = 'top-1' then paired_by(measure, sae_called(sae_a), sae_called(sae_b))
             else error('rule is paulo-belrose, assignment or top-1, not ' || rule) end as which,
        case when rule = 'paulo-belrose' then matched_by('assignment', 'encoder', sae_called(sae_a), sae_called(sae_b)) end
            as with_which,
        rule                as how,
        threshold           as least_cosine
),
counterparts as (
    select m.corpus, m.feature_a, m.feature_b, m.value
    from matchings_both_ways m, args
    where m.method = 'assignment' and m.measure = args.which and m.sae_a = args.name_a and m.sae_b = args.name_b
        and args.how <> 'top-1'
    union all
    select p.corpus, p.feature_a, p.feature_b, p.value
    from pairs_both_ways p, args
    where p.measure = args.which and p.sae_a = args.name_a and p.sae_b = args.name_b and p.rank_ab = 1 and args.how = 'top-1'
),
by_encoder as (
    select m.corpus, m.feature_a, m.feature_b, m.value
    from matchings_both_ways m, args
    where m.method = 'assignment' and m.measure = args.with_which and m.sae_a = args.name_a and m.sae_b = args.name_b
),
every_feature as (
    select
        f.corpus,
        f.feature_id        as feature,
        c.feature_b         as partner,
        c.value,
        e.feature_b         as encoder_partner,
        e.value             as encoder_value,
        case when args.how = 'paulo-belrose' then least(c.value, e.value) else c.value end as least_value,
        f.n_fired,
        args.how,
        args.which,
        args.least_cosine
    from args
    join features f on f.sae = args.name_a and f.corpus in (select d.corpus from counterparts d)
    left join counterparts c on c.corpus = f.corpus and c.feature_a = f.feature_id
    left join by_encoder e on e.corpus = f.corpus and e.feature_a = f.feature_id
),
judged as (
    select
        v.*,
        case when v.partner is null and v.n_fired = 0 then 'never fires'
             when v.partner is null then 'no counterpart'
             when v.how = 'paulo-belrose' and v.encoder_partner is null then 'no counterpart by encoder'
             when v.how = 'paulo-belrose' and v.partner <> v.encoder_partner then 'another counterpart by encoder'
             when v.least_value < v.least_cosine then 'under the threshold' end as orphan_because
    from every_feature v
)
select
    j.corpus,
    j.feature,
    j.partner,
    j.value,
    j.encoder_partner,
    j.encoder_value,
    j.least_value,
    j.n_fired,
    j.orphan_because is null as is_shared,
    j.orphan_because,
    j.how                       as rule,
    j.which                     as measure,
    j.least_cosine::double      as threshold
from judged j
order by j.corpus, j.feature;
