-- macro:   families_over(measure, min_value)
-- grain:   measure, family, sae, corpus, feature
-- about:   features of several SAEs that mutual matches of at least min_value connect, two SAEs or more to a family; in the order of view families
-- columns:
--   measure     as in pairs
--   family      number of the family, from 1
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
create or replace macro families_over(measure := 'activation', min_value := 0.0) as table
select f.*
from families_of(wanted := compared_by(measure), least := min_value) f;
