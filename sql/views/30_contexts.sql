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
with vocabularies as (
    select w.tokenizer_id, w.n, (sum(w.n) over (order by w.tokenizer_id) - w.n)::bigint as before
    from (select v.tokenizer_id, 1 + max(v.token_id) as n from vocab v group by v.tokenizer_id) w
),
words as (                                      -- one row: the texts of all vocabularies, null where one has a gap
    select list(v.text order by p.tokenizer_id, p.token_id) as texts
    from (select z.tokenizer_id, unnest(range(z.n))::integer as token_id from vocabularies z) p
    left join vocab v on v.tokenizer_id = p.tokenizer_id and v.token_id = p.token_id
),
windows as (                                    -- by itself, so that no join copies the texts into every row
    select
        s.name                                              as sae,
        k.name                                              as corpus,
        f.feature_id,
        f.kind,
        f.bin,
        f.rank,
        f.activation,
        x.documents[f.position + 1]                         as document,
        f.position,
        f.position - f.start                                as peak,
        x.token_ids[f.start + 1 : f.start + f.length]       as ids,
        every_activation(f.length, f.places, f.activations) as activations,
        coalesce(z.n, 0)                                    as n_words,
        coalesce(z.before, 0)                               as before
    from feature_context f
    join scan c using (scan_id)
    join sae s using (sae_id)
    join corpus k using (corpus_id)
    join context x on x.corpus_id = c.corpus_id and x.context_id = f.context_id
    left join vocabularies z on z.tokenizer_id = k.tokenizer_id
),
decoded as (
    select
        h.*,
        list_transform(
            h.ids,
            lambda id: coalesce(case when id < h.n_words then w.texts[h.before + id + 1] end, '<' || id || '>')
        ) as tokens
    from windows h
    cross join words w
)
select
    d.sae,
    d.corpus,
    d.feature_id,
    d.kind,
    d.bin,
    d.rank,
    d.activation,
    d.tokens[d.peak + 1] as token,
    d.document,
    d.position,
    d.tokens,
    d.activations,
    d.peak
from decoded d;
