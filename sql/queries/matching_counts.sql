-- what a stored matching holds: live features of both sides and its pairs
select
    (select count(*) from features f where f.sae = $sae_a and f.corpus = $corpus and f.n_fired > 0)    as n_alive_a,
    (select count(*) from features f where f.sae = $sae_b and f.corpus = $corpus_b and f.n_fired > 0)  as n_alive_b,
    (select count(*) from matching_pair p where p.matching_id = $matching_id)                         as n_pairs;
