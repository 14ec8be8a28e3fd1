-- contexts of one feature that were chosen in one way, strongest group first; only the windows that are shown are decoded
with shown as (
    select
        x.bin, x.rank, x.activation, x.position, x.start, k.corpus_id, k.context_id,
        every_activation(x.length, x.places, x.activations)                 as activations,
        k.documents[x.position + 1]                                         as document,
        k.token_ids[x.start + 1 : x.start + x.length]                       as ids,
        c.corpus_id                                                         as corpus,
        a.effects
    from feature_context x
    join scan c using (scan_id)
    join context k on k.corpus_id = c.corpus_id and k.context_id = x.context_id
    left join ablation a
        on x.kind = 'top' and a.scan_id = x.scan_id and a.feature_id = x.feature_id and a.rank = x.rank
        and a.context_id = x.context_id and a.position = x.position
    where x.scan_id = $scan_id and x.feature_id = $feature_id and x.kind = $kind and x.rank <= $most
),
words as (
    select map_from_entries(list(struct_pack(id := v.token_id, word := v.text))) as text_of
    from vocab v
    where v.tokenizer_id = (
            select c.tokenizer_id from corpus c join scan s using (corpus_id) where s.scan_id = $scan_id
        )
        and v.token_id in (select unnest(h.ids) from shown h)
)
select
    h.bin,
    h.rank,
    h.activation,
    h.context_id,
    h.document,
    h.position,
    h.position - h.start                                        as peak,
    list_transform(h.ids, lambda id: words.text_of[id])         as tokens,
    h.activations,
    h.effects
from shown h, words
order by h.bin desc, h.rank;
