-- macro:   concept_features_by(rule)
-- grain:   concept, sae, corpus, feature_id
-- about:   features that belong to a concept by one of three rules: share (some of the ten strongest tokens are keywords), paper (one of the five strongest is, and stands there as a word, as in the code of arXiv 2410.06981), word (the word at one of the five strongest positions is a keyword, of one token or of several)
-- columns:
--   rule        the rule
--   concept     name of the concept
--   sae         name of the SAE
--   corpus      name of the corpus
--   feature_id  feature of the SAE
--   best_rank   place of the first keyword among its strongest tokens, from 1
--   share       share of the strongest tokens that are keywords, of ten by share and of five by paper and word (fewer if it fires less often), in (0, 1]
--   keywords    the keywords found, distinct, in alphabetical order
create or replace macro concept_features_by(rule) as table
with args as (
    select case when rule in ('share', 'paper', 'word') then rule
                else error('rule is share, paper or word, not ' || rule) end as how
),
by_position as (
    select
        p.concept,
        p.sae,
        p.corpus,
        p.feature_id,
        min(p.rank)                                         as best_rank,
        count(distinct p.rank) / any_value(p.n_strongest)   as share,
        list_sort(list(distinct p.keyword))                 as keywords
    from keyword_positions p
    where (rule = 'paper' and p.by_paper) or (rule = 'word' and p.by_word)
    group by p.concept, p.sae, p.corpus, p.feature_id
)
select c.*
from args
join (
    select 'share' as rule, f.* from concept_features f where rule = 'share'
    union all
    select rule as rule, b.* from by_position b where rule <> 'share'
) c on c.rule = args.how;
