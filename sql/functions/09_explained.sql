-- macro:   explained(n, x, xx, grouped)
-- about:   share of a variance that lies between groups, in [0, 1], from the sums of x and of its square over n and the sum over groups of (sum of x in the group) ** 2 / (size of the group); null where x is constant: n times its variance at most 1e-12 of the sum of its squares, which is rounding
create or replace macro explained(n, x, xx, grouped) as
    case when n > 0 and xx - x * x / n > 1e-12 * xx then least(greatest(grouped - x * x / n, 0) / (xx - x * x / n), 1) end;
