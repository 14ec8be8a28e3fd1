-- view:    documents
-- grain:   corpus, document
-- about:   the documents of every corpus that have a measured token
-- columns:
--   corpus       name of the corpus
--   document     number of the document, from 0
--   first_token  token_index of its first measured token
--   n_tokens     measured tokens of it
--   label        number that the corpus gives it (--label-field); null if none
create or replace view documents as
select
    k.name          as corpus,
    d.document_id   as document,
    d.first_token,
    d.n_tokens,
    d.label
from document d
join corpus k using (corpus_id);
