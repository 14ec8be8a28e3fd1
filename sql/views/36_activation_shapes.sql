-- view:    activation_shapes
-- grain:   sae, corpus, feature_id
-- about:   how the activations of every feature that fires are distributed over its firing tokens
-- columns:
--   sae            name of the SAE
--   corpus         name of the corpus
--   feature_id     feature of the SAE
--   n_fired        tokens with activation > 0
--   density        n_fired over the tokens measured
--   mean           mean over all tokens
--   variance       population variance over all tokens
--   mean_active    mean over firing tokens
--   std_active     population standard deviation over firing tokens
--   median_active  median over firing tokens
--   max            largest activation
--   mean_above_median  mean_active > median_active: a tail to the right
--   sarle          Sarle's bimodality coefficient over firing tokens, (skew ** 2 + 1) / kurtosis: 5/9 for a uniform distribution, 1/3 for a normal one; null where they do not vary
--   upper_from     least activation of the bin that holds half of the maximum
--   upper_share    share of firing tokens from upper_from on
--   upper_chance   the same share of an exponential distribution with this mean
create or replace view activation_shapes as
with upper as (
    select h.scan_id, h.feature_id, max(h.bin) - 16 as from_bin
    from histogram h
    group by h.scan_id, h.feature_id
),
shares as (
    select h.scan_id, h.feature_id, any_value(u.from_bin) as from_bin, sum(h.n) filter (h.bin >= u.from_bin) / sum(h.n) as share
    from histogram h
    join upper u using (scan_id, feature_id)
    group by h.scan_id, h.feature_id
),
named as (
    select s.name as sae, k.name as corpus, x.feature_id, bin_floor(x.from_bin) as upper_from, x.share
    from shares x
    join scan c using (scan_id)
    join sae s using (sae_id)
    join corpus k using (corpus_id)
)
select
    f.sae,
    f.corpus,
    f.feature_id,
    f.n_fired,
    f.density,
    f.mean,
    f.std ** 2                                              as variance,
    f.mean_active,
    f.std_active,
    f.median_active,
    f.max,
    f.mean_active > f.median_active                         as mean_above_median,
    (f.skew_active ** 2 + 1) / f.kurtosis_active            as sarle,
    n.upper_from,
    n.share                                                 as upper_share,
    exp(-n.upper_from / f.mean_active)                      as upper_chance
from features f
left join named n using (sae, corpus, feature_id)
where f.n_fired > 0;
