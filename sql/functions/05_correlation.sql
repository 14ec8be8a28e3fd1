-- macro:   correlation(n, x, y, xx, yy, xy)
-- about:   Pearson correlation from sums of x, y, their squares and their product over n; null where one is constant: n times its variance at most 1e-12 of the sum of its squares, which is rounding
create or replace macro correlation(n, x, y, xx, yy, xy) as
    case when xx - x * x / n > 1e-12 * xx and yy - y * y / n > 1e-12 * yy then (xy - x * y / n) / (sqrt(greatest(xx - x * x / n, 0)) * sqrt(greatest(yy - y * y / n, 0))) end;
