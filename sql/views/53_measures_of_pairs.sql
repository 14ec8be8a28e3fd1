-- view:    measures_of_pairs
-- grain:   sae_a, sae_b, corpus, feature_a, feature_b, corpus_b
-- about:   values of all measures for the same pair of features, in both directions; null where a measure was not computed or has neither a rank nor a value for the pair. Best pairs by activation have a value of every stored measure, and best pairs by any measure have one of activation; so its rows are selected by both, and a correlation of two columns says little without a choice such as the pairs of an assignment. Without measures that have a direction
-- columns:
--   sae_a          the SAE asked from
--   sae_b          the other SAE
--   corpus         name of the corpus of sae_a
--   feature_a      feature of sae_a
--   feature_b      feature of sae_b
--   activation     Pearson correlation over tokens
--   activation_document_max   Pearson correlation over documents of the largest activation in each
--   activation_document_mean  the same of the mean activation
--   phi            Pearson correlation of whether they fire
--   jaccard        tokens on which both fire over those on which either does
--   lift           how many times as often both fire as if independent
--   masked_cosine  masked cosine
--   attribution    Pearson correlation of attributions
--   preactivation  Pearson correlation of encoder outputs
--   decoder        cosine of decoder rows
--   encoder        cosine of encoder columns
--   logit          Pearson correlation of logit weights over the vocabulary
--   n_a            tokens on which feature_a fires
--   n_b            tokens on which feature_b fires
--   n_ab           tokens on which both fire; null if only measures of weights were asked
--   corpus_b       corpus of sae_b; another one where features were aligned on the text, and then tokens are spans of it
create or replace view measures_of_pairs as
select
    p.sae_a,
    p.sae_b,
    p.corpus,
    p.feature_a,
    p.feature_b,
    max(p.value) filter (p.measure = 'activation') as activation,
    max(p.value) filter (p.measure = 'activation_document_max') as activation_document_max,
    max(p.value) filter (p.measure = 'activation_document_mean') as activation_document_mean,
    max(p.value) filter (p.measure = 'phi') as phi,
    max(p.value) filter (p.measure = 'jaccard') as jaccard,
    max(p.value) filter (p.measure = 'lift') as lift,
    max(p.value) filter (p.measure = 'masked_cosine') as masked_cosine,
    max(p.value) filter (p.measure = 'attribution') as attribution,
    max(p.value) filter (p.measure = 'preactivation') as preactivation,
    max(p.value) filter (p.measure = 'decoder') as decoder,
    max(p.value) filter (p.measure = 'encoder') as encoder,
    max(p.value) filter (p.measure = 'logit') as logit,
    max(p.n_a) filter (unit_of(p.measure, false) = 'tokens') as n_a,
    max(p.n_b) filter (unit_of(p.measure, false) = 'tokens') as n_b,
    max(p.n_ab) filter (unit_of(p.measure, false) = 'tokens') as n_ab,
    p.corpus_b
from pairs_both_ways p
where not has_direction(p.measure)
group by p.sae_a, p.sae_b, p.corpus, p.corpus_b, p.feature_a, p.feature_b;
