-- the tokens on which one feature fires with the largest sum of activations
select t.token, t.n_fired, t.n_tokens, t.mean, t.lift
from token_stats t
where t.sae = $sae and t.corpus = $corpus and t.feature_id = $feature_id and t.rank_by_sum <= $most
order by t.rank_by_sum;
