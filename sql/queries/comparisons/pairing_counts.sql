-- what a stored pairing found: features that fire, each side on its corpus, and mutual best pairs
select
    (select count(*) from features f where f.sae = $sae_a and f.corpus = $corpus and f.n_fired > 0)   as n_alive_a,
    (select count(*) from features g where g.sae = $sae_b and g.corpus = $corpus_b and g.n_fired > 0) as n_alive_b,
    (select count(*) from mutual_matches m
     where m.sae_a = $sae_a and m.sae_b = $sae_b and m.corpus = $corpus and m.measure = $measure)     as n_mutual;
