-- what a score of two SAEs on a corpus rests on: their weights and their scans
select x.sha256 as sae_a, y.sha256 as sae_b, a.spec_sha256 as scan_a, b.spec_sha256 as scan_b
from corpus k
join corpus l on l.name = $corpus_b
join sae x on x.name = $sae_a
join sae y on y.name = $sae_b
join scan a on a.sae_id = x.sae_id and a.corpus_id = k.corpus_id
join scan b on b.sae_id = y.sae_id and b.corpus_id = l.corpus_id
where k.name = $corpus;
