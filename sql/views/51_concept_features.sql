-- view:    concept_features
-- grain:   concept, sae, corpus, feature_id
-- about:   features of whose ten strongest tokens at least one is a keyword of the concept (case and outer spaces ignored)
-- columns:
--   concept     name of the concept
--   sae         name of the SAE
--   corpus      name of the corpus
--   feature_id  feature of the SAE
--   best_rank   place of the first keyword among its strongest tokens, from 1; at most 5 is the paper's rule
--   share       share of its ten strongest tokens (fewer if it fires less often) that are keywords, in (0, 1]
--   keywords    the keywords found, distinct, in alphabetical order
create or replace view concept_features as
with strongest as (
    select f.sae, f.corpus, f.feature_id, len(f.top_tokens[1:10]) as n_tokens,
           unnest(f.top_tokens[1:10]) as token, unnest(range(1, len(f.top_tokens[1:10]) + 1)) as rank
    from features f
)
select
    k.concept,
    t.sae,
    t.corpus,
    t.feature_id,
    min(t.rank)                                     as best_rank,
    count(distinct t.rank) / any_value(t.n_tokens)  as share,
    list_sort(list(distinct k.keyword))             as keywords
from strongest t
join concept_keyword k on lower(trim(t.token)) = lower(k.keyword)
group by k.concept, t.sae, t.corpus, t.feature_id;
