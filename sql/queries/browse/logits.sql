-- the tokens that one feature raises and lowers most, raised ones first
select t.sign, t.token, t.logit
from logit_tokens t
where t.sae = $sae and t.feature_id = $feature_id and t.rank <= $most
order by t.sign desc, t.rank;
