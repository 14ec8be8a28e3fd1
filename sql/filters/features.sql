-- rows of the view for the features that a filter lets through; the filter's query goes where the comment is
with ids as (
    /* ids */
)
select x.*, i.place
from ids i
join scan c on c.scan_id = i.scan_id
join sae s on s.sae_id = c.sae_id
join corpus k on k.corpus_id = c.corpus_id
join features x on x.sae = s.name and x.corpus = k.name and x.feature_id = i.feature_id
where $name is null or x.sae = $name
