-- macro:   position_dependence(first_places := 1)
-- grain:   sae, corpus, feature_id
-- about:   how much of a feature's firing and activation its place in the context explains; the first places, where many features are unlike elsewhere, also apart from the rest
-- columns:
--   sae            name of the SAE
--   corpus         name of the corpus
--   feature_id     feature of the SAE that fires
--   n_tokens       tokens measured
--   n_places       places of the context with a measured token
--   n_fired        tokens with activation > 0
--   density_first  share of the tokens at the first places on which it fires
--   density_rest   share of the other tokens on which it fires
--   mean_first     mean activation over all tokens at the first places
--   mean_rest      mean activation over all other tokens
--   cramers_v      Cramér's V of place and firing, the root of chi squared over tokens: 0 if the place does not matter, 1 if it decides; null if it fires on every token
--   v_chance       root of the mean of its square where firings are thrown over the places at random: (n_places - 1) / (n_tokens - 1)
--   v_first        the same of two classes, the first places and the rest
--   v_rest         the same over the rest only
--   v_rest_chance  chance level of that
--   eta_squared    share of the variance of the activation over all tokens that lies between places; chance is v_chance squared
--   eta_squared_rest  the same over the rest only
--   r_place        Pearson correlation of activation and place over all tokens: the part that is a straight line
create or replace macro position_dependence(first_places := 1) as table
with places as (
    select
        n.scan_id,
        n.position,
        n.n_tokens,
        row_number() over (partition by n.scan_id order by n.position) <= first_places as is_first
    from scan_position n
    where n.n_tokens > 0
),
tokens as (
    select
        p.scan_id,
        count(*)                                                    as k,
        count(*) filter (not p.is_first)                            as k_rest,
        sum(p.n_tokens)                                             as n,
        coalesce(sum(p.n_tokens) filter (p.is_first), 0)            as n_first,
        coalesce(sum(p.n_tokens) filter (not p.is_first), 0)        as n_rest,
        sum(p.position * p.n_tokens)::double                        as place,
        sum(p.position::double * p.position * p.n_tokens)           as place_2
    from places p
    group by p.scan_id
),
cells as (
    select
        f.scan_id, f.feature_id, p.is_first, p.position,
        f.n_fired::double as n_fired, f.total, f.total_2, f.n_fired::double ** 2 / p.n_tokens as fired_2, f.total ** 2 / p.n_tokens as between_2
    from feature_position f
    join places p using (scan_id, position)
),
sums as (
    select
        c.scan_id,
        c.feature_id,
        sum(c.n_fired)                                              as n_fired,
        sum(c.fired_2)                                              as fired_2,
        sum(c.total)                                                as total,
        sum(c.total_2)                                              as total_2,
        sum(c.between_2)                                            as between_2,
        sum(c.total * c.position)                                   as at_place,
        coalesce(sum(c.n_fired) filter (c.is_first), 0)             as n_fired_first,
        coalesce(sum(c.total) filter (c.is_first), 0)               as total_first,
        coalesce(sum(c.n_fired) filter (not c.is_first), 0)         as n_fired_rest,
        coalesce(sum(c.fired_2) filter (not c.is_first), 0)         as fired_2_rest,
        coalesce(sum(c.total) filter (not c.is_first), 0)           as total_rest,
        coalesce(sum(c.total_2) filter (not c.is_first), 0)         as total_2_rest,
        coalesce(sum(c.between_2) filter (not c.is_first), 0)       as between_2_rest
    from cells c
    group by c.scan_id, c.feature_id
)
select
    s.name                                                          as sae,
    k.name                                                          as corpus,
    x.feature_id,
    n.n::bigint                                                     as n_tokens,
    n.k                                                             as n_places,
    x.n_fired::bigint                                               as n_fired,
    x.n_fired_first / nullif(n.n_first, 0)                          as density_first,
    x.n_fired_rest / nullif(n.n_rest, 0)                            as density_rest,
    x.total_first / nullif(n.n_first, 0)                            as mean_first,
    x.total_rest / nullif(n.n_rest, 0)                              as mean_rest,
    sqrt(explained(n.n, x.n_fired, x.n_fired, x.fired_2))           as cramers_v,
    sqrt((n.k - 1) / nullif(n.n - 1, 0))                            as v_chance,
    case when n.n_first > 0 and n.n_rest > 0 then
        sqrt(explained(n.n, x.n_fired, x.n_fired, x.n_fired_first ** 2 / n.n_first + x.n_fired_rest ** 2 / n.n_rest))
    end                                                             as v_first,
    sqrt(explained(n.n_rest, x.n_fired_rest, x.n_fired_rest, x.fired_2_rest)) as v_rest,
    sqrt((n.k_rest - 1) / nullif(n.n_rest - 1, 0))                  as v_rest_chance,
    explained(n.n, x.total, x.total_2, x.between_2)                 as eta_squared,
    explained(n.n_rest, x.total_rest, x.total_2_rest, x.between_2_rest) as eta_squared_rest,
    correlation(n.n, n.place, x.total, n.place_2, x.total_2, x.at_place) as r_place
from sums x
join tokens n using (scan_id)
join scan c using (scan_id)
join sae s using (sae_id)
join corpus k using (corpus_id);
