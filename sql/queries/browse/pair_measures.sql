-- what every stored measure says of one pair, what it would be by chance, and the partner that the measure prefers
with compared as (
    select g.measure, g.top_k, g.median_best, g.chance
    from pairing g
    join sae a on a.sae_id = g.sae_a and a.name = $sae_a
    join sae b on b.sae_id = g.sae_b and b.name = $sae_b
    join corpus k on k.corpus_id = g.corpus_id and k.name = $corpus
    union
    select g.measure, g.top_k, g.median_best_ba, g.chance_ba
    from pairing g
    join sae a on a.sae_id = g.sae_b and a.name = $sae_a
    join sae b on b.sae_id = g.sae_a and b.name = $sae_b
    join corpus k on k.corpus_id = coalesce(g.corpus_b, g.corpus_id) and k.name = $corpus
    where not has_direction(g.measure)
),
held as (
    select p.measure, p.feature_b, p.value, p.rank_ab, p.rank_ba
    from pairs_both_ways p
    where p.sae_a = $sae_a and p.sae_b = $sae_b and p.corpus = $corpus and p.feature_a = $feature_a
),
apart as (
    select d.measure, d.high
    from disagreements d
    where d.sae_a = $sae_a and d.sae_b = $sae_b and d.corpus = $corpus and d.feature_a = $feature_a and d.feature_b = $feature_b
    union
    select d.measure, d.high
    from disagreements d
    where d.sae_a = $sae_b and d.sae_b = $sae_a and d.feature_a = $feature_b and d.feature_b = $feature_a
)
select
    c.measure,
    h.value,
    h.rank_ab,
    h.rank_ba,
    c.median_best,
    c.chance,
    c.top_k,
    b.feature_b as preferred,
    b.value     as preferred_value,
    x.high
from compared c
left join held h on h.measure = c.measure and h.feature_b = $feature_b
left join held b on b.measure = c.measure and b.rank_ab = 1
left join apart x on x.measure = c.measure
order by c.measure = 'activation' desc, c.measure;
