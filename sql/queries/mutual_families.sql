-- families of mutual matches over many SAEs; those that an SAE has a member in, if one is named
with found as materialized (
    select f.* from families_over(measure := $measure, min_value := $min_value) f
)
select g.*
from found g
where $sae is null or g.family in (select h.family from found h where h.sae = $sae)
order by g.family, g.sae, g.feature;
