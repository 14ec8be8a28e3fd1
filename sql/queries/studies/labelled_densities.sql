-- densities of features with a label and without one, of those that fire
select
    f.sae, f.corpus, f.label is not null as labelled, count(*) as n,
    quantile_cont(f.density, 0.25) as density_q25, median(f.density) as density_median, quantile_cont(f.density, 0.75) as density_q75
from features f
where f.sae = $sae and f.corpus = $corpus and f.n_fired > 0
group by f.sae, f.corpus, labelled
order by labelled desc;
