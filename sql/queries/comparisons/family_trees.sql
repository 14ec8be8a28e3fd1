-- the families of co-occurrence of one SAE with what its features are, every feature after the one above it
select c.family, c.round, c.n_members, c.feature, c.parent, c.depth, c.weight, f.density, f.top_tokens, f.label
from cooccurrence_families c
join features f on f.sae = c.sae and f.corpus = c.corpus and f.feature_id = c.feature
where c.sae = $sae and c.corpus = $corpus
order by c.family, c.depth, c.parent, c.feature;
