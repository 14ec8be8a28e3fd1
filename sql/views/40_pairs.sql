-- view:    pairs
-- grain:   measure, sae_a, sae_b, corpus, feature_a, feature_b
-- about:   feature pairs of two SAEs with the value of a measure: the top k partners of every feature, in both directions
-- columns:
--   measure    name of what is compared; view measures says what each means. Where a measure has a direction, both ranks are by its value from sae_a to sae_b
--   sae_a      the SAE named first when the pair was computed
--   sae_b      the other SAE
--   corpus     name of the corpus; where the tokenizations of one text differ, that of sae_a
--   feature_a  feature of sae_a
--   feature_b  feature of sae_b
--   value      of the measure, from its minimum to its maximum in view measures
--   rank_ab    place of feature_b among the partners of feature_a, from 1; null if outside the stored top k, where the value was asked for by another measure
--   rank_ba    place of feature_a among the partners of feature_b, from 1; null if outside the stored top k
--   n_a        tokens on which feature_a fires; documents for measures whose unit they are, as n_b and n_ab
--   n_b        tokens on which feature_b fires
--   n_ab       tokens on which both fire; null for measures of weights
--   corpus_b   corpus of sae_b; the same unless features were aligned on the text, and then tokens are spans of it
create or replace view pairs as
select
    g.measure,
    a.name      as sae_a,
    b.name      as sae_b,
    k.name      as corpus,
    p.feature_a,
    p.feature_b,
    p.value,
    p.rank_ab,
    p.rank_ba,
    p.n_a,
    p.n_b,
    p.n_ab,
    coalesce(l.name, k.name) as corpus_b
from pair p
join pairing g using (pairing_id)
join sae a on a.sae_id = g.sae_a
join sae b on b.sae_id = g.sae_b
join corpus k using (corpus_id)
left join corpus l on l.corpus_id = g.corpus_b;
