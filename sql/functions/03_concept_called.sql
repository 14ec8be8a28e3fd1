-- macro:   concept_called(wanted)
-- about:   name of a concept, letter case aside; an error if there is none
create or replace macro concept_called(wanted) as coalesce(
    (select any_value(k.concept) from concept_keyword k where lower(k.concept) = lower(wanted)),
    error('no concept named ' || wanted)
);
