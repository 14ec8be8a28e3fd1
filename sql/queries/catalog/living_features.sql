-- how many features of every SAE fire on a corpus, by scan
select s.alias, c.sae, s.d_sae, c.n_alive, c.l0, c.fvu
from scans c
join saes s on s.sae = c.sae
where c.corpus = $corpus
order by c.scan_id;
