-- macro:   decoder_rows_of(sae)
-- grain:   feature_id
-- about:   decoder and encoder weights of one SAE, as its scans used them
-- columns:
--   feature_id    feature of the SAE
--   w_dec         decoder row, d_in long
--   w_enc         encoder column, d_in long
--   b_enc         encoder bias
--   decoder_norm  norm of the decoder row in the SAE as it was published
create or replace macro decoder_rows_of(sae) as table
with wanted as (
    select coalesce((select s.sae_id from sae s where sae in (s.name, s.alias) order by s.name <> sae limit 1),
                    error('no SAE named ' || sae)) as wanted_id
)
select v.feature_id, v.w_dec, v.w_enc, v.b_enc, v.decoder_norm
from feature_vector v
join wanted on v.sae_id = wanted.wanted_id
order by v.feature_id;
