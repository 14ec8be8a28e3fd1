-- the best partner of each wanted feature in any other SAE, on the corpus of its scan
with wanted as (
    select c.sae_id, c.corpus_id, w.scan_id, w.feature_id
    from (select unnest($scans) as scan_id, unnest($features) as feature_id) w
    join scan c on c.scan_id = w.scan_id
),
partners as (
    select w.scan_id, w.feature_id, g.sae_b as other, p.feature_b as partner, p.value
    from wanted w
    join pairing g on g.sae_a = w.sae_id and g.sae_a <> g.sae_b and g.corpus_id = w.corpus_id and g.measure = 'activation'
    join pair p on p.pairing_id = g.pairing_id and p.feature_a = w.feature_id and p.rank_ab = 1
    union all
    select w.scan_id, w.feature_id, g.sae_a, p.feature_a, p.value
    from wanted w
    join pairing g on g.sae_b = w.sae_id and g.sae_a <> g.sae_b and coalesce(g.corpus_b, g.corpus_id) = w.corpus_id and g.measure = 'activation'
    join pair p on p.pairing_id = g.pairing_id and p.feature_b = w.feature_id and p.rank_ba = 1
)
select
    q.scan_id,
    q.feature_id,
    arg_max(s.alias, q.value)     as other,
    arg_max(q.partner, q.value)   as partner,
    max(q.value)                  as value
from partners q
join sae s on s.sae_id = q.other
group by q.scan_id, q.feature_id;
