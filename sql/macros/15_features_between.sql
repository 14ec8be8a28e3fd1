-- macro:   features_between(sae, min_density, max_density)
-- grain:   corpus, feature_id
-- about:   features of one SAE inside a density band, both ends included
-- columns:
--   corpus       name of the corpus
--   feature_id   feature of the SAE
--   density      share of tokens on which it fires
--   n_fired      tokens on which it fires
--   mean_active  mean over the tokens that fire
--   max          largest activation
--   top_tokens   its strongest tokens, strongest first
create or replace macro features_between(sae, min_density := 0.0, max_density := 1.0) as table
with asked as (
    select
        sae_called(sae) as wanted,
        min_density as least,
        max_density as most
)
select f.corpus, f.feature_id, f.density, f.n_fired, f.mean_active, f.max, f.top_tokens
from features f
join asked on f.sae = asked.wanted and f.density between asked.least and asked.most
order by f.corpus, f.feature_id;
