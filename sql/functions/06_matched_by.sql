-- macro:   matched_by(how, wanted, name_a, name_b)
-- about:   the measure `wanted` itself, if a matching of two SAEs by it is stored in either order, made as `how` says; an error if none is
create or replace macro matched_by(how, wanted, name_a, name_b) as case when exists (
        select 1
        from matching g
        join sae x on x.sae_id = g.sae_a
        join sae y on y.sae_id = g.sae_b
        where g.method = how and g.measure = wanted
            and ((x.name = name_a and y.name = name_b) or (x.name = name_b and y.name = name_a))
    ) then wanted else error('no ' || how || ' by ' || wanted || ' of ' || name_a || ' and ' || name_b || ' yet: featlas match ' || name_a || ' ' || name_b || ' --method ' || how || ' --measure ' || wanted || ' makes it') end;
