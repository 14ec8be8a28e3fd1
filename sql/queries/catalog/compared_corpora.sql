-- corpora on which an SAE was compared with others by a measure, the newest comparison first
select q.corpus
from (
    select k.name as corpus, max(g.pairing_id) as newest
    from pairing g
    join sae a on a.sae_id = g.sae_a
    join sae b on b.sae_id = g.sae_b
    join corpus k on k.corpus_id = case when a.name = $sae then g.corpus_id else coalesce(g.corpus_b, g.corpus_id) end
    where g.measure = $measure and g.sae_a <> g.sae_b and $sae in (a.name, b.name)
    group by k.name
) q
order by q.newest desc;
