-- candidate pairs of two SAEs that hold a text, with the filters' verdict: ids only, the rows are read in windows
with keyed as (
    select
        m.feature_a,
        m.feature_b,
        m.kept,
        array_to_string(m.dropped_because, ', ') as dropped_because,
        case $sort
            when 'value'   then m.value
            when 'joint'   then m.n_ab
            when 'margin'  then m.margin
            when 'n a'     then m.n_a
            when 'n b'     then m.n_b
            when 'feature' then -m.feature_a
            when 'partner' then -m.feature_b
        end as key
    from matches_by($sae_a, $sae_b, $options) m
    where m.corpus = $corpus
        and ($text = '' or contains(lower(array_to_string(m.tokens_a || m.tokens_b, chr(31))), lower($text)))
)
select k.feature_a, k.feature_b, k.kept, k.dropped_because
from keyed k
order by case when $ascending then -k.key else k.key end desc nulls last, k.feature_a, k.feature_b;
