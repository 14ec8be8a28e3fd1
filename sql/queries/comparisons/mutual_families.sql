-- families of mutual matches over many SAEs; those that an SAE has a member in, if one is named
with found as materialized (
    select f.* from families_over(measure := $measure, min_value := $min_value) f
)
select
    g.family, g.n_saes, g.n_members, g.consistent, g.closed, g.least_value, g.sae, g.feature, f.density,
    f.top_tokens[1:5] as top_tokens, f.label, g.measure, g.corpus, g.n_matches, g.n_compared
from found g
join features f on f.sae = g.sae and f.corpus = g.corpus and f.feature_id = g.feature
where $sae is null or g.family in (select h.family from found h where h.sae = $sae)
order by g.family, g.sae, g.feature;
