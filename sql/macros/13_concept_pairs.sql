-- macro:   concept_pairs(concept, sae_a, sae_b, measure, direction, min_value, min_share, one_to_one, rule)
-- grain:   corpus, feature_a, feature_b
-- about:   best matches whose features both belong to a concept by a rule of concept_features_by(…); the concept takes the place of the token filters of matches(…). Without min_share the minimum share is 0.5 by the rule share, and any by paper and word
-- columns:
--   measure    as in pairs
--   corpus     name of the corpus
--   feature_a  feature of sae_a
--   feature_b  feature of sae_b
--   value      of the measure
--   n_ab       tokens on which both fire
--   share_a    share of feature_a's strongest tokens that are keywords, as concept_features_by(…) counts it
--   share_b    share of feature_b's strongest tokens that are keywords
create or replace macro concept_pairs(
    concept, sae_a, sae_b, measure := 'activation', direction := 'a_to_b', min_value := 0.0, min_share := null,
    one_to_one := false, rule := 'share'
) as table
with args as (
    select
        sae_called(sae_a)        as name_a,
        sae_called(sae_b)        as name_b,
        concept_called(concept)  as which,
        coalesce(min_share, case when rule = 'share' then 0.5 else 0.0 end) as least_share
),
members as materialized (
    select c.* from concept_features_by(rule) c
)
select m.measure, m.corpus, m.feature_a, m.feature_b, m.value, m.n_ab, a.share as share_a, b.share as share_b
from args
cross join kept_matches(
    sae_a, sae_b, measure := measure, direction := direction, min_value := min_value,
    drop_non_concept := false, shared_token := false, one_to_one := one_to_one
) m
join members a on a.sae = args.name_a and a.concept = args.which and a.share >= args.least_share
    and a.corpus = m.corpus and a.feature_id = m.feature_a
join members b on b.sae = args.name_b and b.concept = args.which and b.share >= args.least_share
    and b.corpus = m.corpus_b and b.feature_id = m.feature_b;
