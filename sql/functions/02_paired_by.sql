-- macro:   paired_by(wanted, name_a, name_b)
-- about:   the measure `wanted` itself, if pairs of two SAEs by it are stored in either order; an error if none are
create or replace macro paired_by(wanted, name_a, name_b) as case when exists (
        select 1
        from pairing g
        join sae x on x.sae_id = g.sae_a
        join sae y on y.sae_id = g.sae_b
        where g.measure = wanted and ((x.name = name_a and y.name = name_b) or (x.name = name_b and y.name = name_a and not has_direction(wanted)))
    ) then wanted else error('no ' || wanted || ' pairs of ' || name_a || ' and ' || name_b || ' yet: featlas correlate makes them') end;
