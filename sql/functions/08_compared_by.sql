-- macro:   compared_by(wanted)
-- about:   the measure `wanted` itself, if any two SAEs were compared by it; an error if none were, and for a measure with a direction
create or replace macro compared_by(wanted) as case when exists (
        select 1
        from pairing g
        where g.measure = wanted and g.sae_a <> g.sae_b
    ) and not has_direction(wanted) then wanted
    when has_direction(wanted) then error(wanted || ' has a direction: no match by it is mutual')
    else error('no two SAEs were compared by ' || wanted || ' yet: featlas correlate --measure') end;
