-- macro:   is_bounded(wanted)
-- about:   whether the values of a measure have an upper end, so that one threshold means the same for all pairs; docs/schema.py writes which from atlas/pairing/measures
create or replace macro is_bounded(wanted) as wanted not in ('lift');
