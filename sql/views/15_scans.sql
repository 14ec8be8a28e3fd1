-- view:    scans
-- grain:   scan_id
-- about:   every SAE measured on a corpus
-- columns:
--   scan_id      number of the scan
--   sae          name of the SAE
--   corpus       name of the corpus
--   n_tokens     tokens measured, special tokens left out
--   l0           mean number of features that fire on a token
--   n_alive      features that fired at least once
--   n_dead       features that never fired
--   n_dense      features that fired on more than 10 % of the tokens
--   fvu          unexplained share of the variance of the activations the SAE reads, 0 is perfect; null if they were constant
--   finished_at  when it was written
--   n_documents  documents with a measured token
--   explained_variance  1 - fvu
--   ce           cross-entropy of the model on a sample of the corpus, nats a token; null if not measured
--   ce_spliced   the same with the SAE's reconstruction in the place of what it reads
--   ce_ablated   the same with zeros in that place
--   loss_recovered  (ce_ablated - ce_spliced) / (ce_ablated - ce): 1 is all, 0 no better than zeros
--   loss_tokens  predicted tokens that ce, ce_spliced and ce_ablated are over
create or replace view scans as
select
    c.scan_id,
    s.name                                               as sae,
    k.name                                               as corpus,
    c.n_tokens,
    c.n_nonzero / c.n_tokens                             as l0,
    count(*) filter (f.n_fired > 0)                      as n_alive,
    count(*) filter (f.n_fired = 0)                      as n_dead,
    count(*) filter (f.n_fired > 0.1 * c.n_tokens)       as n_dense,
    c.fvu,
    c.finished_at,
    c.n_documents,
    1 - c.fvu                                            as explained_variance,
    c.ce,
    c.ce_spliced,
    c.ce_ablated,
    (c.ce_ablated - c.ce_spliced) / nullif(c.ce_ablated - c.ce, 0) as loss_recovered,
    c.loss_tokens
from scan c
join sae s using (sae_id)
join corpus k using (corpus_id)
join feature_stat f using (scan_id)
group by all;
