-- view:    families
-- grain:   measure, family, sae, corpus, feature
-- about:   features of several SAEs that mutual matches connect, by each measure separately, families over the most SAEs first, consistent ones before others, then by least_value; families_over(…) asks for a minimum value
-- columns:
--   measure     as in pairs
--   family      number of the family, from 1 for each measure
--   sae         name of the SAE
--   corpus      name of the corpus
--   feature     feature_id in sae
--   n_members   features in the family
--   n_saes      SAEs in it
--   n_matches   mutual matches between its members
--   n_compared  pairs of members whose SAEs were compared
--   consistent  no SAE has two members, so that going round by matches comes back to the same feature
--   closed      every pair of members whose SAEs were compared is a mutual match
--   least_value smallest value among its matches
create or replace view families as
select f.*
from families_of() f;
