-- what the pane beside the feature table says of one feature; fewer columns than the view has are read in half the time
select
    f.feature_id,
    f.n_tokens,
    f.n_fired,
    f.density,
    f.mean_active,
    f.std_active,
    f.median_active,
    f.max,
    f.doc_density,
    f.top_tokens,
    f.is_dead,
    f.is_concept,
    f.label
from features f
where f.sae = $sae and f.corpus = $corpus and f.feature_id = $feature_id;
