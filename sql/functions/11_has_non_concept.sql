-- macro:   has_non_concept(tokens)
-- about:   whether one of the tokens is on the non-concept list: full stops, newlines and such
create or replace macro has_non_concept(tokens) as list_has_any(tokens, (select list(t.text) from non_concept_token t));
