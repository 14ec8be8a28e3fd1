-- features of one SAE without a mutual match in any other that it was compared with, that hold a text, in order
select
    m.feature,
    -1                                  as partner,
    'nan'::double                       as value,
    'in none of ' || m.n_compared       as because
from counterparts(measure := $measure, min_value := $threshold) m
join scan c on c.scan_id = $scan
join feature_stat f on f.scan_id = c.scan_id and f.feature_id = m.feature
left join (
    select l.sae_id, l.feature_id, string_agg(l.label, ' ') as label
    from feature_label l
    group by l.sae_id, l.feature_id
) l on l.sae_id = c.sae_id and l.feature_id = m.feature
where m.sae = $sae_a and m.corpus = $corpus and m.n_counterparts = 0
    and ($text = '' or contains(lower(array_to_string(f.top_tokens, chr(31))), lower($text)) or contains(lower(l.label), lower($text)))
order by
    case when $ascending then -1 else 1 end
        * case $sort when 'feature' then -m.feature else m.n_fired end desc nulls last,
    m.feature;
