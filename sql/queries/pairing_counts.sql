-- what a stored pairing found: live features of both sides, on spans those with a partner, and mutual best pairs
select
    case when $corpus = $corpus_b
         then (select count(*) from features f where f.sae = $sae_a and f.corpus = $corpus and f.n_fired > 0)
         else (select count(distinct p.feature_a) from pairs p
               where p.sae_a = $sae_a and p.sae_b = $sae_b and p.corpus = $corpus and p.measure = $measure) end as n_alive_a,
    case when $corpus = $corpus_b
         then (select count(*) from features f where f.sae = $sae_b and f.corpus = $corpus and f.n_fired > 0)
         else (select count(distinct p.feature_b) from pairs p
               where p.sae_a = $sae_a and p.sae_b = $sae_b and p.corpus = $corpus and p.measure = $measure) end as n_alive_b,
    (select count(*) from mutual_matches m
     where m.sae_a = $sae_a and m.sae_b = $sae_b and m.corpus = $corpus and m.measure = $measure)     as n_mutual;
