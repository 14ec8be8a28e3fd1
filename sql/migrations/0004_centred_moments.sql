-- Moments about the mean, which keep their digits where raw sums of powers cancel.

alter table feature_stat add column centred_2 double;   -- sum over firing tokens of (activation - their mean) ** 2
alter table feature_stat add column centred_3 double;   -- of its cube; null, as the other two, in scans from before
alter table feature_stat add column centred_4 double;   -- of its fourth power
