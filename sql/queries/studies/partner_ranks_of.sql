-- partners of the features of one SAE in another by rank
select r.measure, r.rank, r.n, r.mean, r.median, r.share_70
from partner_ranks r
where r.sae = $sae and r.other = $other and r.corpus = $corpus and r.measure in ('decoder', 'encoder', 'activation')
order by r.measure, r.rank;
