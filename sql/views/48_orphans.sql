-- view:    orphans
-- grain:   measure, sae, other, corpus, feature
-- about:   features whose best value in another SAE is under 0.7, with that value; features that never fire and so have no value are left out, and so are measures without an upper end; shared_features(…) has other thresholds and the rules of the literature
-- columns:
--   measure    as in pairs; the rule is top-1 on it
--   sae        the SAE of the feature
--   other      the SAE it was compared with
--   corpus     name of the corpus of sae
--   feature    feature_id in sae
--   partner    its best partner in other; null if it has none, as one that fires on every token alike
--   value      value of that pair
--   threshold  0.7
--   n_fired    tokens on which the feature fires
create or replace view orphans as
with comparisons as (
    select g.pairing_id, g.measure, 'a_to_b' as direction, g.sae_a as sae_id, g.sae_b as other_id, g.corpus_id
    from pairing g
    where g.sae_a <> g.sae_b and is_bounded(g.measure)
    union all
    select h.pairing_id, h.measure, 'b_to_a', h.sae_b, h.sae_a, coalesce(h.corpus_b, h.corpus_id)
    from pairing h
    where h.sae_a <> h.sae_b and is_bounded(h.measure) and not has_direction(h.measure)
),
chosen as (
    select p.pairing_id, 'a_to_b' as direction, p.feature_a as feature, p.feature_b as partner, p.value
    from pair p
    where p.rank_ab = 1
    union all
    select q.pairing_id, 'b_to_a', q.feature_b, q.feature_a, q.value
    from pair q
    where q.rank_ba = 1
)
select
    c.measure,
    s.name          as sae,
    o.name          as other,
    k.name          as corpus,
    f.feature_id    as feature,
    b.partner,
    b.value,
    0.7::double     as threshold,
    f.n_fired
from comparisons c
join sae s on s.sae_id = c.sae_id
join sae o on o.sae_id = c.other_id
join corpus k on k.corpus_id = c.corpus_id
join scan n on n.sae_id = c.sae_id and n.corpus_id = c.corpus_id
join feature_stat f on f.scan_id = n.scan_id
left join chosen b on b.pairing_id = c.pairing_id and b.direction = c.direction and b.feature = f.feature_id
where coalesce(b.value < 0.7, f.n_fired > 0);
