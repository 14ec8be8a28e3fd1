-- every feature of an SAE by a rule of sharing, at no threshold: is_shared says that all but the threshold is met
select s.feature, s.partner, s.value, s.encoder_partner, s.least_value, s.n_fired, s.is_shared as passes, f.label is not null as labelled
from shared_features($sae, $other, rule := $rule, measure := $measure, threshold := -2.0) s
left join features f on f.sae = sae_called($sae) and f.corpus = s.corpus and f.feature_id = s.feature
where s.corpus = $corpus
order by s.feature;
