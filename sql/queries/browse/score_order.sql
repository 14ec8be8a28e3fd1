-- numbers of the scores that hold a text, in order
with keyed as (
    select
        c.score_id,
        case $sort
            when 'newest' then c.score_id
            when 'value'  then c.value
            when 'z'      then c.z
            when 'p'      then -c.p_value
            when 'n'      then c.n
        end as key
    from score c
    join sae a on a.sae_id = c.sae_a
    join sae b on b.sae_id = c.sae_b
    join corpus k on k.corpus_id = c.corpus_id
    where $text = '' or contains(
        lower(concat_ws(' ', c.metric, a.alias, b.alias, a.name, b.name, k.name, c.subset, c.space, c.null_kind)), lower($text)
    )
)
select k.score_id
from keyed k
order by case when $ascending then -k.key else k.key end desc nulls last, k.score_id desc;
