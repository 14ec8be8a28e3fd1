-- view:    description_lengths
-- grain:   sae, corpus, feature_id
-- about:   bits per token that the code of every feature takes, coded by itself, with magnitudes in bins a sixteenth of an octave wide (arXiv 2410.11179)
-- columns:
--   sae             name of the SAE
--   corpus          name of the corpus
--   feature_id      feature of the SAE
--   density         share of tokens on which it fires
--   support_bits    entropy of whether it fires, in [0, 1]
--   magnitude_bits  density times the entropy of the bin that its activation lies in where it fires
--   bits            support_bits + magnitude_bits; 0 for features that never fire
create or replace view description_lengths as
with magnitudes as (
    select h.scan_id, h.feature_id, log2(sum(h.n)) - sum(h.n * log2(h.n)) / sum(h.n) as entropy
    from histogram h
    group by h.scan_id, h.feature_id
),
counted as (
    select s.name as sae, k.name as corpus, f.feature_id, f.n_fired / c.n_tokens as density, m.entropy
    from feature_stat f
    join scan c using (scan_id)
    join sae s using (sae_id)
    join corpus k using (corpus_id)
    left join magnitudes m using (scan_id, feature_id)
),
parts as (
    select
        n.*,
        case when n.density > 0 and n.density < 1
            then -n.density * log2(n.density) - (1 - n.density) * log2(1 - n.density)
            else 0
        end as support_bits,
        case when n.density > 0 then n.density * n.entropy else 0 end as magnitude_bits
    from counted n
)
select
    p.sae,
    p.corpus,
    p.feature_id,
    p.density,
    p.support_bits,
    p.magnitude_bits,
    p.support_bits + p.magnitude_bits as bits
from parts p;
