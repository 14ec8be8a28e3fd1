-- features of one SAE by a rule of shared_features(…), with their strongest tokens
select
    s.feature,
    s.n_fired,
    s.partner,
    s.value,
    s.encoder_partner,
    s.encoder_value,
    s.is_shared,
    s.orphan_because,
    f.top_tokens[1:5]   as top_tokens,
    f.label
from shared_features($sae_a, $sae_b, rule := $rule, measure := $measure, threshold := $threshold) s
join features f on f.sae = $sae_a and f.corpus = s.corpus and f.feature_id = s.feature
where s.corpus = $corpus
order by s.n_fired desc, s.feature;
