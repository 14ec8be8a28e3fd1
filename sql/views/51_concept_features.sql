-- view:    concept_features
-- grain:   concept, sae, corpus, feature_id
-- about:   features of whose ten strongest tokens at least one is a keyword of the concept (case and outer spaces ignored): the rule `share` of concept_features_by(…). A token without a leading space that continues a word there, as king in seeking, is none
-- columns:
--   concept     name of the concept
--   sae         name of the SAE
--   corpus      name of the corpus
--   feature_id  feature of the SAE
--   best_rank   place of the first keyword among its strongest tokens, from 1; at most 5: among those that the paper's filters look at
--   share       share of its ten strongest tokens (fewer if it fires less often) that are keywords, in (0, 1]
--   keywords    the keywords found, distinct, in alphabetical order
create or replace view concept_features as
with strongest as (
    select f.scan_id, f.feature_id, len(f.top_tokens[1:10]) as n_tokens,
           unnest(f.top_tokens[1:10]) as token, unnest(range(1, len(f.top_tokens[1:10]) + 1)) as rank
    from feature_stat f
),
found as materialized (
    select t.*, k.concept, k.keyword
    from strongest t
    join concept_keyword k on lower(trim(t.token)) = lower(k.keyword)
),
spaced as (                                     -- tokenizers that write the space before a word into its first token
    select distinct v.tokenizer_id from vocab v where v.class = 'word' and v.text like ' %'
),
places as (                                     -- of features with such a token that has no leading space
    select c.scan_id, c.feature_id, c.context_id, c.start + unnest(c.places) as position, unnest(c.activations) as activation
    from feature_context c
    where c.kind = 'top' and c.rank <= 10
        and (c.scan_id, c.feature_id) in (select (g.scan_id, g.feature_id) from found g where g.token not like ' %')
),
ranked as (
    select
        p.*,
        row_number() over (partition by p.scan_id, p.feature_id order by p.activation desc, p.context_id, p.position) as rank
    from places p
),
continued as (
    select r.scan_id, r.feature_id, r.rank, v.text as token
    from ranked r
    join scan c using (scan_id)
    join corpus k using (corpus_id)
    join spaced using (tokenizer_id)
    join context x on x.corpus_id = c.corpus_id and x.context_id = r.context_id
    join vocab v on v.tokenizer_id = k.tokenizer_id and v.token_id = x.token_ids[r.position + 1]
    join vocab b on b.tokenizer_id = k.tokenizer_id and b.token_id = x.token_ids[r.position]
    where r.rank <= 10 and r.position > 0 and x.documents[r.position] = x.documents[r.position + 1]
        and v.text not like ' %' and regexp_matches(b.text, '[\p{L}\p{M}\p{N}]$')
)
select
    w.concept,
    s.name                                          as sae,
    k.name                                          as corpus,
    w.feature_id,
    min(w.rank)                                     as best_rank,
    count(distinct w.rank) / any_value(w.n_tokens)  as share,
    list_sort(list(distinct w.keyword))             as keywords
from found w
anti join continued c on c.scan_id = w.scan_id and c.feature_id = w.feature_id and c.rank = w.rank and c.token = w.token
join scan n on n.scan_id = w.scan_id
join sae s on s.sae_id = n.sae_id
join corpus k on k.corpus_id = n.corpus_id
group by w.concept, s.name, k.name, w.feature_id;
