-- comparisons of two SAEs by a measure, those of one SAE on a corpus if they are named: corpora, sample and chance levels
select k.name as corpus, coalesce(l.name, k.name) as corpus_b, g.n_tokens, g.chance, g.chance_ba, unit_of(g.measure, g.corpus_b is not null) as unit
from pairing g
join sae a on a.sae_id = g.sae_a
join sae b on b.sae_id = g.sae_b
join corpus k on k.corpus_id = g.corpus_id
left join corpus l on l.corpus_id = g.corpus_b
where g.measure = $measure and g.sae_a <> g.sae_b
    and ($sae is null or (a.name = $sae and k.name = $corpus) or (b.name = $sae and coalesce(l.name, k.name) = $corpus))
order by g.pairing_id;
