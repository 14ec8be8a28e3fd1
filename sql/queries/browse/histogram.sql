-- how often one feature fires how strongly
select h.lo, h.hi, h.n
from histograms h
where h.sae = $sae and h.corpus = $corpus and h.feature_id = $feature_id
order by h.bin;
