-- view:    measures
-- grain:   measure
-- about:   every measure of similarity between features that featlas knows; docs/schema.py writes its rows from atlas/pairing/measures
-- columns:
--   measure        its name, as in pairs and on the command line
--   aliases        other names for it on the command line
--   meaning        what it says of two features
--   has_direction  whether swapping the two SAEs changes its values; they go from sae_a to sae_b then
--   minimum        smallest value possible
--   maximum        largest value possible; null where there is none
--   needs          what it is computed from; documents are activations pooled over each document
--   space          hook: both SAEs must read one hook of one model; stream: at least one residual stream; null where any two can be compared
--   unit           what its pairs count: documents, or tokens, in the place of which are spans of the text where two tokenizations are aligned
--   chance         how its chance level is found: the search once more with shifted tokens, or with random vectors in the place of the weights
create or replace view measures as
select * replace (minimum::double as minimum, maximum::double as maximum) from (values
    ('activation', [], 'Pearson correlation of the activations over tokens', false, -1.0, 1.0, 'activations', null, 'tokens', 'shifted tokens'),
    ('activation_document_max', [], 'Pearson correlation, over documents, of the largest activation in each', false, -1.0, 1.0, 'documents', null, 'documents', 'shifted tokens'),
    ('activation_document_mean', [], 'Pearson correlation, over documents, of the mean activation over all tokens of each', false, -1.0, 1.0, 'documents', null, 'documents', 'shifted tokens'),
    ('phi', ['coactivation'], 'Pearson correlation, over tokens, of whether the features fire', false, -1.0, 1.0, 'activations', null, 'tokens', 'shifted tokens'),
    ('jaccard', [], 'tokens on which both fire, over tokens on which either fires', false, 0.0, 1.0, 'activations', null, 'tokens', 'shifted tokens'),
    ('lift', [], 'how many times as often both fire as they would if independent', false, 0.0, null, 'activations', null, 'tokens', 'shifted tokens'),
    ('conditional', [], 'share of the tokens of the feature of A on which that of B fires too: P(b | a), for both ranks of a pair', true, 0.0, 1.0, 'activations', null, 'tokens', 'shifted tokens'),
    ('masked_cosine', [], 'cosine of the activations where one of the two fires; 1 where a feature is a part of another', false, 0.0, 1.0, 'activations', null, 'tokens', 'shifted tokens'),
    ('attribution', [], 'Pearson correlation over tokens of activation times the logit weight of the next token', false, -1.0, 1.0, 'attributions', null, 'tokens', 'shifted tokens'),
    ('preactivation', [], 'Pearson correlation over tokens of the encoder outputs before the activation function', false, -1.0, 1.0, 'encoders and covariance', 'hook', 'tokens', 'random vectors'),
    ('decoder', [], 'cosine of the decoder rows', false, -1.0, 1.0, 'decoders', 'stream', 'tokens', 'random vectors'),
    ('encoder', [], 'cosine of the encoder columns', false, -1.0, 1.0, 'encoders', 'hook', 'tokens', 'random vectors'),
    ('logit', [], 'Pearson correlation of the logit weights over the vocabulary', false, -1.0, 1.0, 'decoders and grams', null, 'tokens', 'random vectors')
) as known(measure, aliases, meaning, has_direction, minimum, maximum, needs, space, unit, chance);
