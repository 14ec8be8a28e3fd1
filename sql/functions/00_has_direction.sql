-- macro:   has_direction(wanted)
-- about:   whether a measure depends on which SAE is A; docs/schema.py writes which from atlas/pairing/measures
create or replace macro has_direction(wanted) as wanted in ('conditional');
