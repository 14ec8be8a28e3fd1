-- the strongest contexts of a feature, whole, with what was measured of their removal
select
    f.rank, f.context_id, f.position, f.start, f.length, k.token_ids, k.documents, a.effects is not null as done
from feature_context f
join scan c using (scan_id)
join context k on k.corpus_id = c.corpus_id and k.context_id = f.context_id
left join ablation a
    on a.scan_id = f.scan_id and a.feature_id = f.feature_id and a.rank = f.rank
    and a.context_id = f.context_id and a.position = f.position
where f.scan_id = $scan_id and f.feature_id = $feature_id and f.kind = 'top' and f.rank <= $most
order by f.rank;
