-- view:    histograms
-- grain:   sae, corpus, feature_id, bin
-- about:   how often a feature fires how strongly; bins are a sixteenth of an octave wide and empty ones are left out
-- columns:
--   sae         name of the SAE
--   corpus      name of the corpus
--   feature_id  feature of the SAE
--   bin         number of the bin: the upper bits of the activation as float32
--   lo          minimum activation of the bin
--   hi          minimum activation of the next bin
--   n           firing tokens whose activation lies in [lo, hi)
create or replace view histograms as
select
    s.name                  as sae,
    k.name                  as corpus,
    h.feature_id,
    h.bin,
    bin_floor(h.bin)        as lo,
    bin_floor(h.bin + 1)    as hi,
    h.n
from histogram h
join scan c using (scan_id)
join sae s using (sae_id)
join corpus k using (corpus_id);
