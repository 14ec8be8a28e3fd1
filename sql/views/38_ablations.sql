-- view:    ablations
-- grain:   sae, corpus, feature_id, rank
-- about:   how the log probability of each token of a feature's strongest contexts changes when the feature is taken out of what the SAE reads, where featlas study ablation measured it
-- columns:
--   sae         name of the SAE
--   corpus      name of the corpus
--   feature_id  feature of the SAE
--   rank        of the context, as in contexts of kind top
--   activation  at the peak token
--   effects     change of the log probability of each token of the window, in nats: below 0 the feature helped to predict it; null where nothing predicts it
--   chance      the same with a random direction of the same length in the place of the decoder row
--   peak        index of the peak token in the window, from 0
--   after_peak  the change of the token after the peak; null if the window ends there
--   total       sum over the window
--   total_chance  the same for the random direction
--   n_predicted tokens of the window that something predicts
create or replace view ablations as
select
    s.name                                              as sae,
    k.name                                              as corpus,
    a.feature_id,
    a.rank,
    f.activation,
    a.effects,
    a.chance,
    a.position - a.start                                as peak,
    a.effects[a.position - a.start + 2]                 as after_peak,
    coalesce(list_sum(a.effects), 0)                    as total,
    coalesce(list_sum(a.chance), 0)                     as total_chance,
    list_count(a.effects)                               as n_predicted
from ablation a
join scan c using (scan_id)
join sae s using (sae_id)
join corpus k using (corpus_id)
join feature_context f
    on f.scan_id = a.scan_id and f.feature_id = a.feature_id and f.kind = 'top' and f.rank = a.rank
    and f.context_id = a.context_id and f.position = a.position;
