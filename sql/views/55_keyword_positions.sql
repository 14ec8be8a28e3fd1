-- view:    keyword_positions
-- grain:   concept, keyword, sae, corpus, feature_id, rank
-- about:   where a keyword of a concept stands among the five strongest firing positions of a feature, by itself or spelt by several tokens; as far as the windows of its five strongest contexts show them
-- columns:
--   concept      name of the concept
--   keyword      a word of it
--   sae          name of the SAE
--   corpus       name of the corpus
--   feature_id   feature of the SAE
--   rank         place among its firing positions, from 1; strongest first
--   token        the token there
--   word         the word there: the letters and digits of the token and of up to eight tokens on either side that continue it
--   activation   at that token
--   n_strongest  firing positions looked at: five, or fewer if the feature fires less often
--   by_paper     as the code of arXiv 2410.06981 looks: the token alone is the keyword, and so is a word between spaces of the text from two tokens before to one after, without its . , ? ! and newlines
--   by_word      the word is the keyword
create or replace view keyword_positions as
with spaced as (                                -- tokenizers that write the space before a word into its first token
    select distinct v.tokenizer_id from vocab v where v.class = 'word' and v.text like ' %'
),
words as (
    select distinct lower(k.keyword) as word from concept_keyword k
),
pieces as (                                     -- every text that a token of a keyword can have, in small letters
    select distinct unnest([
        substring(w.word, s.first, n.length), case when s.first = 1 then ' ' || substring(w.word, 1, n.length) end
    ]) as piece
    from words w,
        unnest(range(1, len(w.word) + 1)) s (first),
        unnest(range(1, len(w.word) + 2 - s.first)) n (length)
),
likely as (                                     -- features with such a token among their five strongest
    select t.scan_id, t.feature_id, any_value(t.n_strongest) as n_strongest, any_value(t.least) as least
    from (
        select
            f.scan_id, f.feature_id, len(f.top_tokens[1:5]) as n_strongest,
            coalesce(list_min(f.top_activations[1:5]), 0) * (1 - 1e-6) as least,    -- a float may lose its last bit on the way
            unnest(f.top_tokens[1:5]) as token
        from feature_stat f
    ) t
    where rtrim(lower(t.token)) in (select p.piece from pieces p)
    group by t.scan_id, t.feature_id
),
places as (
    select
        c.scan_id, c.feature_id, l.n_strongest, l.least, c.context_id,
        c.start + unnest(c.places) as position, unnest(c.activations) as activation
    from feature_context c
    join likely l using (scan_id, feature_id)
    where c.kind = 'top' and c.rank <= 5
),
ranked as (
    select
        p.* exclude (least),
        row_number() over (partition by p.scan_id, p.feature_id order by p.activation desc, p.context_id, p.position) as rank
    from places p
    where p.activation >= p.least
),
spelt as (
    select
        r.*,
        c.sae_id,
        c.corpus_id,
        k.tokenizer_id,
        v.text                  as token,
        rtrim(lower(v.text))    as piece,
        x.token_ids,
        x.documents
    from ranked r
    join scan c using (scan_id)
    join corpus k using (corpus_id)
    join context x on x.corpus_id = c.corpus_id and x.context_id = r.context_id
    join vocab v on v.tokenizer_id = k.tokenizer_id and v.token_id = x.token_ids[r.position + 1]
    where r.rank <= 5
),
candidates as (                                 -- a keyword by itself, or a piece beside another piece
    select p.*
    from spelt p
    left join vocab b on b.tokenizer_id = p.tokenizer_id and b.token_id = p.token_ids[p.position]
    left join vocab a on a.tokenizer_id = p.tokenizer_id and a.token_id = p.token_ids[p.position + 2]
    where ltrim(p.piece) in (select w.word from words w)
        or (p.piece in (select i.piece from pieces i) and (
            (rtrim(lower(a.text)) in (select i.piece from pieces i) and a.text not like ' %')
            or (rtrim(lower(b.text)) in (select i.piece from pieces i) and p.piece not like ' %')
        ))
),
nearby as (                                     -- a space stands for what is of no word with the token: other documents, special tokens
    select
        p.scan_id, p.feature_id, p.rank, o.distance,
        case when p.documents[p.position + 1 + o.distance] = p.documents[p.position + 1] then v.text else ' ' end as text
    from candidates p
    join spaced using (tokenizer_id)
    cross join unnest([-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8]) o (distance)
    join vocab v on v.tokenizer_id = p.tokenizer_id and v.token_id = p.token_ids[p.position + 1 + o.distance]
    where p.position + o.distance >= 0
),
around as (
    select
        n.scan_id, n.feature_id, n.rank,
        string_agg(n.text, '' order by n.distance) filter (n.distance < 0)                as before,
        string_agg(n.text, '' order by n.distance) filter (n.distance > 0)                as after,
        string_agg(n.text, '' order by n.distance) filter (n.distance in (-2, -1))        as two_before,
        any_value(n.text) filter (n.distance = 1)                                         as next_token
    from nearby n
    group by n.scan_id, n.feature_id, n.rank
),
read as (
    select
        c.sae_id, c.corpus_id, c.feature_id, c.rank, c.n_strongest, c.token, c.activation,
        case when regexp_matches(c.token, '^[\p{L}\p{M}\p{N}]') then regexp_extract(coalesce(a.before, ''), '[\p{L}\p{M}\p{N}]*$') else '' end
            || regexp_replace(c.token, '^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$', '', 'g')
            || case when regexp_matches(c.token, '[\p{L}\p{M}\p{N}]$') then regexp_extract(coalesce(a.after, ''), '^[\p{L}\p{M}\p{N}]*') else '' end
            as word,
        list_transform(
            string_split(lower(coalesce(a.two_before, '') || c.token || coalesce(a.next_token, '')), ' '),
            lambda w: translate(w, '.,?!' || chr(10), '')
        ) as words_of_window
    from candidates c
    left join around a on a.scan_id = c.scan_id and a.feature_id = c.feature_id and a.rank = c.rank
),
judged as (
    select
        k.concept, k.keyword, r.*,
        lower(replace(r.token, ' ', '')) = lower(k.keyword) and list_contains(r.words_of_window, lower(k.keyword)) as by_paper,
        lower(r.word) = lower(k.keyword) as by_word
    from (select q.*, unnest(list_distinct([lower(q.word), lower(replace(q.token, ' ', ''))])) as either from read q) r
    join concept_keyword k on lower(k.keyword) = r.either
)
select
    j.concept,
    j.keyword,
    s.name as sae,
    k.name as corpus,
    j.feature_id,
    j.rank,
    j.token,
    j.word,
    j.activation,
    j.n_strongest,
    j.by_paper,
    j.by_word
from judged j
join sae s using (sae_id)
join corpus k using (corpus_id)
where j.by_paper or j.by_word;
