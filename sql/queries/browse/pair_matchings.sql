-- the partner that each stored matching gives a feature of A
select m.method, m.measure, m.feature_b as partner
from matchings_both_ways m
where m.sae_a = $sae_a and m.sae_b = $sae_b and m.corpus = $corpus and m.feature_a = $feature_a
order by m.method, m.measure = 'activation' desc, m.measure;
