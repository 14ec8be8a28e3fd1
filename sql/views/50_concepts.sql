-- view:    concepts
-- grain:   concept, keyword
-- about:   the lexicons that make up concepts
-- columns:
--   concept  name of the concept
--   keyword  a word of it
--   source   where the lexicon comes from
create or replace view concepts as
select k.concept, k.keyword, k.source
from concept_keyword k;
