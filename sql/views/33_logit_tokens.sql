-- view:    logit_tokens
-- grain:   sae, feature_id, sign, rank
-- about:   the tokens that a feature's decoder row raises and lowers most: row times the final norm's scale times the unembedding
-- columns:
--   sae         name of the SAE
--   feature_id  feature of the SAE
--   sign        1: raised most; -1: lowered most
--   rank        from 1
--   token_id    token of the model's vocabulary
--   token       its text
--   logit       weight for a decoder row of norm 1
create or replace view logit_tokens as
select
    s.name                              as sae,
    t.feature_id,
    t.sign,
    t.rank,
    t.token_id,
    coalesce(v.text, '<' || t.token_id || '>') as token,
    t.logit
from logit_token t
join sae s using (sae_id)
join model m using (model_id)
left join vocab v on v.tokenizer_id = m.tokenizer_id and v.token_id = t.token_id;
