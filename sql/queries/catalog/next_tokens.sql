-- the token after each counted token in its context, in the order of the tokens; -1 after the last of a context
with unrolled as (
    select
        x.context_id,
        unnest(range(len(x.token_ids)))     as i,
        unnest(x.documents)                 as document,
        unnest(list_append(x.token_ids[2:], -1)) as next_id
    from context x
    join corpus k using (corpus_id)
    where k.name = $corpus and x.first_token < $n_tokens
)
select u.next_id from unrolled u where u.document >= 0 order by u.context_id, u.i;
