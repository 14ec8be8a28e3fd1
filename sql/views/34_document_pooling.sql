-- view:    document_pooling
-- grain:   sae, corpus, feature_id, truncation
-- about:   a feature's activation pooled over each document, by maximum and by mean, and how it goes with length and label; features that never fire have no row
-- columns:
--   sae           name of the SAE
--   corpus        name of the corpus
--   feature_id    feature of the SAE
--   truncation    leading measured tokens of a document that are pooled; null for the whole document
--   n_documents   documents; those in which the feature is silent count as 0
--   max_mean      mean over documents of the largest activation
--   max_std       population standard deviation of that
--   mean_mean     mean over documents of the mean activation over the pooled tokens
--   mean_std      population standard deviation of that
--   max_r_length  Pearson correlation of the largest activation with the number of tokens that are there to pool; null if either is constant
--   mean_r_length  the same of the mean activation
--   n_labelled    documents with a label
--   max_r_label   Pearson correlation of the largest activation with the label, over documents that have one; null without labels
--   mean_r_label  the same of the mean activation
--   length_r_label  Pearson correlation of the number of tokens with the label
--   max_r_length_labelled  max_r_length over documents with a label: with the other two it gives the partial correlation
--   mean_r_length_labelled  mean_r_length over documents with a label
create or replace view document_pooling as
select
    s.name                                      as sae,
    k.name                                      as corpus,
    f.feature_id,
    f.truncation,
    n.n_documents,
    f.max_sum / n.n_documents                   as max_mean,
    sqrt(greatest(f.max_sum_2 / n.n_documents - (f.max_sum / n.n_documents) ** 2, 0)) as max_std,
    f.mean_sum / n.n_documents                  as mean_mean,
    sqrt(greatest(f.mean_sum_2 / n.n_documents - (f.mean_sum / n.n_documents) ** 2, 0)) as mean_std,
    correlation(n.n_documents, f.max_sum, n.length_sum, f.max_sum_2, n.length_sum_2, f.max_length) as max_r_length,
    correlation(n.n_documents, f.mean_sum, n.length_sum, f.mean_sum_2, n.length_sum_2, f.mean_length) as mean_r_length,
    n.n_labelled,
    correlation(n.n_labelled, f.labelled_max, n.label_sum, f.labelled_max_2, n.label_sum_2, f.max_label) as max_r_label,
    correlation(n.n_labelled, f.labelled_mean, n.label_sum, f.labelled_mean_2, n.label_sum_2, f.mean_label) as mean_r_label,
    case when n.n_labelled > 0 then correlation(n.n_labelled, n.labelled_length, n.label_sum, n.labelled_length_2, n.label_sum_2, n.length_label) end
        as length_r_label,
    correlation(n.n_labelled, f.labelled_max, n.labelled_length, f.labelled_max_2, n.labelled_length_2, f.labelled_max_length)
        as max_r_length_labelled,
    correlation(n.n_labelled, f.labelled_mean, n.labelled_length, f.labelled_mean_2, n.labelled_length_2, f.labelled_mean_length)
        as mean_r_length_labelled
from feature_pooling f
join scan_pooling n on n.scan_id = f.scan_id and n.truncation is not distinct from f.truncation
join scan c on c.scan_id = f.scan_id
join sae s using (sae_id)
join corpus k using (corpus_id);
