-- view:    token_stats
-- grain:   sae, corpus, feature_id, token_id
-- about:   the tokens on which a feature fires: the 50 with the highest lift and the 50 with the largest sum of activations
-- columns:
--   sae           name of the SAE
--   corpus        name of the corpus
--   feature_id    feature of the SAE
--   token_id      token of the model's vocabulary
--   token         its text
--   n_fired       times that the feature fires on it
--   mean          mean activation over those times
--   lift          share of the token among the tokens that fire, over its share among all; 1 is chance
--   n_tokens      times that the token was measured
--   rank_by_lift  from 1, ties by n_fired and then token_id; null outside the 50 highest. Rare tokens rank high: look at n_tokens
--   rank_by_sum   by sum of activations, from 1; null outside the 50 largest
create or replace view token_stats as
select
    s.name                              as sae,
    k.name                              as corpus,
    t.feature_id,
    t.token_id,
    coalesce(v.text, '<' || t.token_id || '>') as token,
    t.n_fired,
    t.total / t.n_fired                 as mean,
    (t.n_fired / f.n_fired) / (t.n_tokens / c.n_tokens) as lift,
    t.n_tokens,
    t.rank_by_lift,
    t.rank_by_sum
from feature_token t
join feature_stat f on f.scan_id = t.scan_id and f.feature_id = t.feature_id
join scan c on c.scan_id = t.scan_id
join sae s using (sae_id)
join corpus k using (corpus_id)
left join vocab v on v.tokenizer_id = k.tokenizer_id and v.token_id = t.token_id;
