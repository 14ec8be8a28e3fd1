-- view:    contexts
-- grain:   sae, corpus, feature_id, kind, bin, rank
-- about:   windows of the corpus around tokens on which a feature fires, or never does, with the activation of every token of the window
-- columns:
--   sae          name of the SAE
--   corpus       name of the corpus
--   feature_id   feature of the SAE
--   kind         how the context was chosen: top (the 20 strongest), or a seeded choice: interval (5 from each tenth of the way to the maximum), quantile (5 from each of ten equal groups by peak), random (10 in which it fires), silent (10 in which it never does); the choice is from the first contexts of a scan, up to the one that reaches 100M activations or 8M tokens
--   bin          tenth of the way to the maximum (interval) or equal group (quantile), from 0, weakest first; 0 for other kinds
--   rank         place within kind and bin, from 1; strongest first
--   activation   at the peak token, its strongest in that context; 0 for silent
--   token        the peak token
--   document     number of the peak token's document in the corpus, from 0
--   position     of the peak token in its context, from 0
--   tokens       the window, decoded
--   activations  of the window's tokens, same length; 0 where silent or special
--   peak         index of the peak token in tokens, from 0
create or replace view contexts as
with unrolled as (
    select
        f.scan_id,
        f.feature_id,
        f.kind,
        f.bin,
        f.rank,
        f.activation,
        f.position,
        f.start,
        f.length,
        f.places,
        f.activations,
        k.corpus_id,
        k.documents[f.position + 1]                                             as document,
        unnest(k.token_ids[f.start + 1 : f.start + f.length])                    as token_id,
        unnest(range(f.length))                                                  as i
    from feature_context f
    join scan c using (scan_id)
    join context k on k.corpus_id = c.corpus_id and k.context_id = f.context_id
),
decoded as (
    select
        u.scan_id,
        u.feature_id,
        u.kind,
        u.bin,
        u.rank,
        any_value(u.activation)                     as activation,
        any_value(u.document)                       as document,
        any_value(u.position)                       as position,
        any_value(u.position - u.start)             as peak,
        any_value(u.length)                         as length,
        any_value(u.places)                         as places,
        any_value(u.activations)                    as activations,
        list(coalesce(v.text, '<' || u.token_id || '>') order by u.i) as tokens
    from unrolled u
    join corpus k using (corpus_id)
    left join vocab v on v.tokenizer_id = k.tokenizer_id and v.token_id = u.token_id
    group by u.scan_id, u.feature_id, u.kind, u.bin, u.rank
)
select
    s.name              as sae,
    k.name              as corpus,
    d.feature_id,
    d.kind,
    d.bin,
    d.rank,
    d.activation,
    d.tokens[d.peak + 1] as token,
    d.document,
    d.position,
    d.tokens,
    every_activation(d.length, d.places, d.activations) as activations,
    d.peak
from decoded d
join scan c using (scan_id)
join sae s using (sae_id)
join corpus k using (corpus_id);
