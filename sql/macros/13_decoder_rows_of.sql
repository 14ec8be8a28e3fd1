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
select v.feature_id, v.w_dec, v.w_enc, v.b_enc, v.decoder_norm
from feature_vector v
join sae s on s.sae_id = v.sae_id and s.name = sae_called(sae)
order by v.feature_id;
