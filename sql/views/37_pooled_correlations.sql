-- view:    pooled_correlations
-- grain:   sae, corpus, feature_id, truncation
-- about:   correlation of pooled activations with the label of the document, as it is and given length; features that never fire have no row
-- columns:
--   sae           name of the SAE
--   corpus        name of the corpus
--   feature_id    feature of the SAE
--   truncation    leading measured tokens of a document that are pooled; null for the whole document
--   n_labelled    documents with a label
--   length_r_label  Pearson correlation of the number of tokens that are there to pool with the label; null if either is constant
--   max_r_label   Pearson correlation of the largest activation with the label
--   max_r_label_given_length  the same with the length held fixed (partial correlation)
--   mean_r_label  Pearson correlation of the mean activation with the label
--   mean_r_label_given_length  the same with the length held fixed
create or replace view pooled_correlations as
select
    p.sae,
    p.corpus,
    p.feature_id,
    p.truncation,
    p.n_labelled,
    p.length_r_label,
    p.max_r_label,
    partial_correlation(p.max_r_label, p.max_r_length_labelled, p.length_r_label)   as max_r_label_given_length,
    p.mean_r_label,
    partial_correlation(p.mean_r_label, p.mean_r_length_labelled, p.length_r_label) as mean_r_label_given_length
from document_pooling p;
