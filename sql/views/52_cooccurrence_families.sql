-- view:    cooccurrence_families
-- grain:   sae, corpus, family, feature
-- about:   families of features of one SAE that fire together, as trees from denser to sparser features (arXiv 2408.00657), where featlas families made them; a feature may be in several
-- columns:
--   sae             name of the SAE
--   corpus          name of the corpus
--   family          number of the family, from 1 for each sae and corpus
--   feature         feature_id in sae
--   parent          the feature above it; null for the root
--   depth           steps from the root
--   weight          co-occurrence with the parent: tokens on which both fire over one more than the tokens on which the sparser one does; null for the root
--   round           round of the search that found the family, from 1; parents of earlier rounds are left out of later ones
--   n_members       features in the family
--   mean_with_head  of the whole family: mean co-occurrence of the root with the features below it
--   mean_below      of the whole family: mean co-occurrence among the features below the root; mean_with_head / mean_below above 1 says that they share the root more than each other
create or replace view cooccurrence_families as
select
    s.name          as sae,
    k.name          as corpus,
    f.family,
    f.feature_id    as feature,
    f.parent_id     as parent,
    f.depth,
    f.weight,
    f.round,
    count(*) over (partition by f.scan_id, f.family) as n_members,
    f.mean_with_head,
    f.mean_below
from feature_family f
join scan c using (scan_id)
join sae s using (sae_id)
join corpus k using (corpus_id);
