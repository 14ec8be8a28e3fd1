-- activations of all features of one SAE together: firing tokens by activation, sixteen bins to the octave
select h.sae, h.corpus, h.lo, h.hi, sum(h.n)::bigint as n, count(distinct h.feature_id) as n_features
from histograms h
where h.sae = $sae and h.corpus = $corpus
group by h.sae, h.corpus, h.lo, h.hi
order by h.lo;
