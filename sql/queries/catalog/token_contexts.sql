-- the context of each counted token, and its id, in the order of the tokens
with unrolled as (
    select
        x.context_id,
        unnest(range(len(x.documents)))     as i,
        unnest(x.documents)                 as document,
        unnest(x.token_ids)                 as token_id
    from context x
    join corpus k using (corpus_id)
    where k.name = $corpus and x.first_token < $n_tokens
)
select u.context_id, u.document, u.token_id from unrolled u where u.document >= 0 order by u.context_id, u.i;
