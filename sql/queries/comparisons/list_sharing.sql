-- share of the features of one SAE that another shares by a rule, at every threshold
select s.threshold, s.n_features, s.n_shared, s.share
from sharing_sweep($sae_a, $sae_b, rule := $rule, measure := $measure) s
where s.corpus = $corpus
order by s.threshold;
