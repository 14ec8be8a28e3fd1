-- stored one-to-one matchings, in order of arrival
select m.method, m.measure, a.alias as alias_a, b.alias as alias_b, k.name as corpus, m.total, m.certified, m.chance,
    (select count(*) from matching_pair p where p.matching_id = m.matching_id) as n_pairs
from matching m
join sae a on a.sae_id = m.sae_a
join sae b on b.sae_id = m.sae_b
join corpus k on k.corpus_id = m.corpus_id
order by m.matching_id;
