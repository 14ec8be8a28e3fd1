-- features of one SAE with the number of other SAEs in which they have a counterpart, and their strongest tokens
select
    c.feature,
    c.n_fired,
    c.n_compared,
    c.n_counterparts,
    f.top_tokens[1:5]   as top_tokens,
    f.label
from counterparts(measure := $measure, min_value := $threshold) c
join features f on f.sae = c.sae and f.corpus = c.corpus and f.feature_id = c.feature
where c.sae = $sae and c.corpus = $corpus
order by c.n_fired desc, c.feature;
