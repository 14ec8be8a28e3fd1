-- macro:   unit_of(wanted, aligned)
-- about:   what a comparison by a measure counts: tokens, documents, or spans where two tokenizations are aligned; docs/schema.py writes which from atlas/pairing/measures
create or replace macro unit_of(wanted, aligned) as case when wanted in ('activation_document_max', 'activation_document_mean') then 'documents' when aligned then 'spans' else 'tokens' end;
