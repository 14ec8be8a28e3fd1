-- macro:   matches_by(sae_a, sae_b, options)
-- grain:   corpus, feature_a, feature_b
-- about:   matches(…) with its options in one struct, for programs: measure, direction, method, top_tokens, drop_non_concept and shared_token as there, and the bounds value, joint and density, each {'low': …, 'high': …} where null is no bound
-- columns:
--   measure          as in pairs
--   corpus           name of the corpus of sae_a
--   feature_a        feature of sae_a
--   feature_b        feature of sae_b
--   value            of the measure
--   margin           value less that of the second-best partner; null if there is none, and for a stored matching
--   n_a              tokens on which feature_a fires
--   n_b              tokens on which feature_b fires
--   n_ab             tokens on which both fire; null for measures of weights
--   tokens_a         strongest tokens of feature_a that the filters looked at
--   tokens_b         strongest tokens of feature_b that the filters looked at
--   kept             passes every filter
--   dropped_because  reasons, in the order of the filters: value, joint, density, non-concept, no shared token, not mutual, many-to-one; empty if kept
--   corpus_b         corpus of sae_b, as in pairs
create or replace macro matches_by(sae_a, sae_b, options) as table
with args as (
    select
        sae_called(sae_a)   as name_a,
        sae_called(sae_b)   as name_b,
        case when options['method'] in ('assignment', 'greedy')
             then matched_by(options['method'], options['measure'], sae_called(sae_a), sae_called(sae_b))
             when options['method'] in ('best', 'mutual', 'one-to-one', 'singletons', 'first-seen')
             then paired_by(options['measure'], sae_called(sae_a), sae_called(sae_b))
             else error('method is best, mutual, one-to-one, singletons, first-seen, assignment or greedy, not ' || options['method']) end as which,
        case when options['direction'] in ('a_to_b', 'b_to_a') then options['direction'] = 'a_to_b'
             else error('direction is a_to_b or b_to_a, not ' || options['direction']) end as forward,
        options['value']    as value,
        options['joint']    as joint,
        options['density']  as density,
        options['top_tokens']           as n_tokens,
        options['drop_non_concept']     as concepts_only,
        options['shared_token']         as must_share,
        options['method']   as how
),
ranked as (
    select
        p.*,
        case when args.forward then p.rank_ab else p.rank_ba end      as choice,
        case when args.forward then p.feature_a else p.feature_b end  as chooser,
        case when args.forward then p.feature_b else p.feature_a end  as chosen
    from pairs_both_ways p, args
    where p.sae_a = args.name_a and p.sae_b = args.name_b and p.measure = args.which
        and args.how not in ('assignment', 'greedy')
),
candidates as materialized (  -- or the planner pairs all features of a corpus before it looks at the candidates
    select n.* exclude (choice, next_value), n.value - n.next_value as margin
    from (
        select r.*, lead(r.value) over (partition by r.corpus, r.chooser order by r.choice) as next_value
        from ranked r
        where r.choice <= 2
    ) n
    where n.choice = 1
    union all by name
    select m.* exclude (method), m.feature_a as chooser, m.feature_b as chosen
    from matchings_both_ways m, args
    where m.method = args.how and m.sae_a = args.name_a and m.sae_b = args.name_b and m.measure = args.which
),
with_a as materialized (
    select c.*, a.top_tokens as all_a, a.density as density_a
    from candidates c
    join features a on a.sae = c.sae_a and a.corpus = c.corpus and a.feature_id = c.feature_a
),
with_tokens as (
    select
        h.*,
        b.density                           as density_b,
        h.all_a[1:args.n_tokens]            as tokens_a,
        b.top_tokens[1:args.n_tokens]       as tokens_b
    from with_a h
    join features b on b.sae = h.sae_b and b.corpus = h.corpus_b and b.feature_id = h.feature_b
    cross join args
),
judged as (
    select
        t.*,
        list_filter([
            case when t.value < args.value['low'] or t.value > args.value['high'] then 'value' end,
            case when t.n_ab < args.joint['low'] or t.n_ab > args.joint['high'] then 'joint' end,
            case when least(t.density_a, t.density_b) < args.density['low']
                    or greatest(t.density_a, t.density_b) > args.density['high'] then 'density' end,
            case when args.concepts_only and has_non_concept(t.tokens_a || t.tokens_b) then 'non-concept' end,
            case when args.must_share and not list_has_any(t.tokens_a, t.tokens_b) then 'no shared token' end,
            case when args.how = 'mutual' and not coalesce(t.rank_ab = 1 and t.rank_ba = 1, false) then 'not mutual' end
        ], lambda reason: reason is not null) as reasons
    from with_tokens t, args
),
placed as (  -- among the pairs that passed so far
    select
        j.*,
        row_number() over (
            partition by j.corpus, j.chosen, len(j.reasons) = 0
            order by case when args.how = 'one-to-one' then -j.value end, j.chooser
        ) as place,
        count(*) over (partition by j.corpus, j.chosen, len(j.reasons) = 0) as n_choosers
    from judged j, args
),
settled as (
    select
        p.*,
        case when len(p.reasons) = 0 and (
                (args.how in ('one-to-one', 'first-seen') and p.place > 1) or (args.how = 'singletons' and p.n_choosers > 1)
            ) then ['many-to-one'] else p.reasons end as all_reasons
    from placed p, args
)
select
    s.measure,
    s.corpus,
    s.feature_a,
    s.feature_b,
    s.value,
    s.margin,
    s.n_a,
    s.n_b,
    s.n_ab,
    s.tokens_a,
    s.tokens_b,
    len(s.all_reasons) = 0  as kept,
    s.all_reasons           as dropped_because,
    s.corpus_b
from settled s
order by s.corpus, s.value desc, s.feature_a, s.feature_b;
