-- what a stored pairing found: live features of both sides and mutual best pairs
select
    (select count(*) from features f where f.sae = $sae_a and f.corpus = $corpus and f.n_fired > 0)  as n_alive_a,
    (select count(*) from features f where f.sae = $sae_b and f.corpus = $corpus and f.n_fired > 0)  as n_alive_b,
    (select count(*) from mutual_matches m
     where m.sae_a = $sae_a and m.sae_b = $sae_b and m.corpus = $corpus and m.measure = $measure)     as n_mutual;
