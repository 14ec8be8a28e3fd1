-- every token of the contexts from which a feature was taken out, with its change and the activation on it and before it
with contexts_of as (
    select a.feature_id, a.rank, a.effects, a.chance, a.peak, c.tokens, c.activations
    from ablations a
    join contexts c
        on c.sae = a.sae and c.corpus = a.corpus and c.feature_id = a.feature_id and c.kind = 'top' and c.rank = a.rank
    where a.sae = $sae and a.corpus = $corpus and a.feature_id = $feature_id and a.rank <= $most
)
select
    $sae                        as sae,
    $corpus                     as corpus,
    c.feature_id,
    c.rank,
    i.place::integer            as place,
    (i.place - c.peak)::integer as from_peak,
    c.tokens[i.place + 1]       as token,
    c.activations[i.place + 1]  as activation,
    case when i.place > 0 then c.activations[i.place] end as activation_before,
    c.effects[i.place + 1]      as effect,
    c.chance[i.place + 1]       as chance
from contexts_of c
cross join lateral (select unnest(range(len(c.effects))) as place) i
order by c.rank, i.place;
