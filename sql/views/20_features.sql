-- view:    features
-- grain:   sae, corpus, feature_id
-- about:   every feature of every SAE as measured on every corpus; features that never fired are rows too
-- columns:
--   sae            name of the SAE
--   corpus         name of the corpus
--   feature_id     index in the SAE, 0 <= feature_id < d_sae
--   n_tokens       tokens measured: the corpus without special tokens
--   n_fired        tokens with activation > 0
--   density        n_fired / n_tokens, in [0, 1]
--   mean           mean activation over all tokens, in SAE activation units
--   std            population standard deviation over all tokens
--   mean_active    mean over the tokens that fire; null if none does
--   std_active     population standard deviation over the tokens that fire; null if none does
--   median_active  median over the tokens that fire (the lower of two middle ones); exact, or within 3.2 % where the scan kept no activations
--   q25_active     lower quartile over the tokens that fire, as median_active
--   q75_active     upper quartile over the tokens that fire, as median_active
--   max            largest activation; null if none fires
--   skew           skewness over all tokens; null where std is at most 1e-14 of the mean, which is rounding (1e-3 in scans that kept raw sums of powers only)
--   kurtosis       kurtosis over all tokens, 3 for a normal distribution; null where skew is
--   doc_density    share of the corpus's documents in which it fires
--   top_tokens     tokens of its strongest firing positions, strongest first, repeats kept; at most 20
--   is_dead        never fires on this corpus
--   is_concept     fires, and none of its five strongest tokens is on the non-concept list
--   label          labels that it was given, by source, joined with a semicolon; null if none
--   skew_active    skewness over the tokens that fire; null where std_active is at most 1e-14 of mean_active, which is rounding (1e-3 as in skew)
--   kurtosis_active  kurtosis over the tokens that fire, 3 for a normal distribution; null where skew_active is
--   n_documents    documents in which it fires
--   encoder_norm   norm of its encoder column, times decoder_norm where the decoder was folded
--   encoder_bias   its bias in the encoder, times decoder_norm where the decoder was folded
--   decoder_norm   norm of its decoder row as the SAE came; activations are in units of a row of norm 1 where it was folded
--   logit_mean     mean over the vocabulary of its logit weights, for a decoder row of norm 1; null where the hook is not in the residual stream
--   logit_std      population standard deviation of the logit weights
--   logit_skew     skewness of the logit weights
--   logit_kurtosis  kurtosis of the logit weights, 3 for a normal distribution
create or replace view features as
with labels as (
    select f.sae_id, f.feature_id, string_agg(f.label, '; ' order by f.source, f.label) as label
    from feature_label f
    group by f.sae_id, f.feature_id
),
means as (
    select
        s.name                                                          as sae,
        k.name                                                          as corpus,
        s.sae_id,
        c.n_tokens,
        c.n_documents                                                   as n_documents_in_all,
        f.*,
        f.n_fired / c.n_tokens                                          as p,       -- share of tokens that fire
        (c.n_tokens - f.n_fired) / c.n_tokens                           as q,
        f.total / c.n_tokens                                            as mean,
        f.total / nullif(f.n_fired, 0)                                  as mean_active,
        case when f.centred_2 is null then 1e-6 else 1e-28 end                            as least    -- variance / mean ** 2 that is more than rounding
    from feature_stat f
    join scan c using (scan_id)
    join sae s using (sae_id)
    join corpus k using (corpus_id)
),
active as (                                         -- central moments over the tokens that fire
    select
        m.*,
        coalesce(m.centred_2 / nullif(m.n_fired, 0), greatest(m.total_2 / nullif(m.n_fired, 0) - m.mean_active ** 2, 0))
            as active_2,
        coalesce(m.centred_3 / nullif(m.n_fired, 0), m.total_3 / m.n_fired - 3 * m.mean_active * active_2 - m.mean_active ** 3)
            as active_3,
        coalesce(
            m.centred_4 / nullif(m.n_fired, 0),
            m.total_4 / m.n_fired - 4 * m.mean_active * m.total_3 / m.n_fired + 6 * m.mean_active ** 2 * m.total_2 / m.n_fired
                - 3 * m.mean_active ** 4
        )                                                               as active_4
    from means m
),
moments as (                                        -- over all tokens: those merged with as many zeros as there are (Pebay 2008)
    select
        a.*,
        a.p * a.active_2 + a.p * a.q * a.mean_active ** 2               as variance,
        a.p * a.active_3 + 3 * a.p * a.q * a.mean_active * a.active_2 + a.p * a.q * (a.q - a.p) * a.mean_active ** 3
            as central_3,
        a.p * a.active_4 + 4 * a.p * a.q * a.mean_active * a.active_3 + 6 * a.p * a.q ** 2 * a.mean_active ** 2 * a.active_2
            + a.p * a.q * (1 - 3 * a.p * a.q) * a.mean_active ** 4      as central_4
    from active a
)
select
    m.sae,
    m.corpus,
    m.feature_id,
    m.n_tokens,
    m.n_fired,
    m.n_fired / m.n_tokens                                              as density,
    m.mean,
    coalesce(sqrt(m.variance), 0)                                       as std,
    m.mean_active,
    case when m.n_fired > 0 then sqrt(m.active_2) end                           as std_active,
    m.median_active,
    m.q25_active,
    m.q75_active,
    m.max,
    case when m.variance > m.least * m.mean ** 2 then m.central_3 / m.variance ** 1.5 end as skew,
    case when m.variance > m.least * m.mean ** 2 then m.central_4 / m.variance ** 2 end   as kurtosis,
    m.n_documents / m.n_documents_in_all                                as doc_density,
    m.top_tokens,
    m.n_fired = 0                                                       as is_dead,
    m.n_fired > 0 and not has_non_concept(m.top_tokens[1:5]) as is_concept,
    l.label,
    case when m.active_2 > m.least * m.mean_active ** 2 then m.active_3 / m.active_2 ** 1.5 end as skew_active,
    case when m.active_2 > m.least * m.mean_active ** 2 then m.active_4 / m.active_2 ** 2 end   as kurtosis_active,
    m.n_documents,
    v.encoder_norm,
    v.b_enc                                                             as encoder_bias,
    v.decoder_norm,
    v.logit_mean,
    v.logit_std,
    v.logit_skew,
    v.logit_kurtosis
from moments m
left join feature_vector v on v.sae_id = m.sae_id and v.feature_id = m.feature_id
left join labels l on l.sae_id = m.sae_id and l.feature_id = m.feature_id;
