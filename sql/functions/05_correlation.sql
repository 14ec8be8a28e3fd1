-- macro:   correlation(n, x, y, xx, yy, xy)
-- about:   Pearson correlation from sums of x, y, their squares and their product over n; null where one is constant
create or replace macro correlation(n, x, y, xx, yy, xy) as
    (xy - x * y / n) / nullif(sqrt(greatest(xx - x * x / n, 0)) * sqrt(greatest(yy - y * y / n, 0)), 0);
