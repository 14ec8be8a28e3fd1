-- corpora of which the same tokens were measured with both SAEs, with their scans and stores; the newest pair of scans first
select
    k.corpus_id,
    k.name          as corpus,
    a.n_tokens,
    a.scan_id       as scan_a,
    b.scan_id       as scan_b,
    a.store         as store_a,
    b.store         as store_b
from scan a
join scan b on b.corpus_id = a.corpus_id and b.n_tokens = a.n_tokens
join corpus k on k.corpus_id = a.corpus_id
join sae x on x.sae_id = a.sae_id
join sae y on y.sae_id = b.sae_id
where x.name = $sae_a and y.name = $sae_b
order by greatest(a.finished_at, b.finished_at) desc, k.corpus_id;
