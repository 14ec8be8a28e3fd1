-- what the newest search for families in a scan was asked for, even if it found none
select r.spec_sha256
from run r
join scan c on c.scan_id = $scan_id and r.run_id >= c.run_id
join sae s using (sae_id)
join corpus k using (corpus_id)
where json_extract_string(r.spec, '$.families') = 'co-occurrence'
    and json_extract_string(r.spec, '$.sae') = s.name
    and json_extract_string(r.spec, '$.corpus') = k.name
order by r.run_id desc
limit 1;
