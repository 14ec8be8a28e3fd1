-- What stands beside a score: its null in closed form, its numbers of its own, and how stable it is.

alter table score add column expected_std double;       -- standard deviation of the null in closed form; null where unknown
alter table score add column expected_square double;    -- mean squared canonical correlation by chance; null where there is none
alter table score add column details json;              -- numbers of the metric's own: ranks, correlations, distance, …
alter table score add column half_mean double;          -- mean score of a half of the pairs
alter table score add column half_apart double;         -- mean |difference| of two halves without a pair in common
alter table score add column n_halves integer;          -- splits into halves
