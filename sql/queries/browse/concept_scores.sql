-- the newest scores of a concept by a rule for two scans in either order, one a metric, its rows and its null
select s.metric, a.alias as alias_a, b.alias as alias_b, s.value, s.null_mean, s.p_value, s.n, s.space, s.null_kind
from scores s
join saes a on a.sae = s.sae_a
join saes b on b.sae = s.sae_b
join run r on r.run_id = s.run_id
where r.spec ->> '$.subset.concept' = $concept and coalesce(r.spec ->> '$.subset.concept_rule', 'share') = $rule
    and (
        (s.sae_a = $sae_a and s.sae_b = $sae_b and s.corpus = $corpus and s.corpus_b = $corpus_b)
        or (s.sae_a = $sae_b and s.sae_b = $sae_a and s.corpus = $corpus_b and s.corpus_b = $corpus)
    )
qualify row_number() over (partition by s.metric, s.sae_a, s.space, s.null_kind order by s.score_id desc) = 1
order by s.metric, s.score_id;
