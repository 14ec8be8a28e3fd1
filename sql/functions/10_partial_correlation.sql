-- macro:   partial_correlation(r_xy, r_xz, r_yz)
-- about:   correlation of x and y with z held fixed, from the three correlations; r_xy itself where z is constant, and so r_xz and r_yz are null; null where z explains x or y whole
create or replace macro partial_correlation(r_xy, r_xz, r_yz) as
    case
        when r_xz is null and r_yz is null then r_xy
        when abs(r_xz) < 1 - 1e-12 and abs(r_yz) < 1 - 1e-12 then (r_xy - r_xz * r_yz) / sqrt((1 - r_xz ** 2) * (1 - r_yz ** 2))
    end;
