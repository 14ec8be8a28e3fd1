-- the labels of every feature as one text
select l.sae_id, l.feature_id, string_agg(l.label, '; ' order by l.source, l.label) as label
from feature_label l
group by l.sae_id, l.feature_id
