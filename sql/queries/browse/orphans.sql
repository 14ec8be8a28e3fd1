-- features of one SAE without a counterpart in another by a rule of shared_features(…), that hold a text, in order
select
    s.feature,
    coalesce(s.partner, -1)             as partner,
    coalesce(s.value, 'nan'::double)    as value,
    s.orphan_because                    as because
from shared_features($sae_a, $sae_b, rule := $rule, measure := $measure, threshold := $threshold) s
join scan c on c.scan_id = $scan
join feature_stat f on f.scan_id = c.scan_id and f.feature_id = s.feature
left join (
    select l.sae_id, l.feature_id, string_agg(l.label, ' ') as label
    from feature_label l
    group by l.sae_id, l.feature_id
) l on l.sae_id = c.sae_id and l.feature_id = s.feature
where s.corpus = $corpus and not s.is_shared
    and ($text = '' or contains(lower(array_to_string(f.top_tokens, chr(31))), lower($text)) or contains(lower(l.label), lower($text)))
order by
    case when $ascending then -1 else 1 end
        * case $sort when 'fires' then s.n_fired when 'value' then s.value when 'feature' then -s.feature end desc nulls last,
    s.feature;
