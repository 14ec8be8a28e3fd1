-- the document of each counted token, in the order of the tokens
with unrolled as (
    select
        x.context_id,
        unnest(range(len(x.documents)))     as i,
        unnest(x.documents)                 as document
    from context x
    join corpus k using (corpus_id)
    where k.name = $corpus and x.first_token < $n_tokens
)
select u.document from unrolled u where u.document >= 0 order by u.context_id, u.i;
