-- view:    positions
-- grain:   sae, corpus, feature_id, position
-- about:   how often and how strongly a feature fires at each place of a context; places where it never fires have no row, and features that never fire have none at all
-- columns:
--   sae         name of the SAE
--   corpus      name of the corpus
--   feature_id  feature of the SAE
--   position    place in the context, from 0; a leading BOS is 0
--   n_tokens    tokens measured at this place
--   n_fired     of these, tokens with activation > 0
--   mean        mean activation over all tokens at this place
--   std         population standard deviation over all tokens at this place
create or replace view positions as
select
    s.name                              as sae,
    k.name                              as corpus,
    p.feature_id,
    p.position,
    n.n_tokens,
    p.n_fired,
    p.total / n.n_tokens                as mean,
    sqrt(greatest(p.total_2 / n.n_tokens - (p.total / n.n_tokens) ** 2, 0)) as std
from feature_position p
join scan_position n on n.scan_id = p.scan_id and n.position = p.position
join scan c on c.scan_id = p.scan_id
join sae s using (sae_id)
join corpus k using (corpus_id);
