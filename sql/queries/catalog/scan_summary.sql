-- what one scan found
select c.sae, s.alias, c.corpus, c.scan_id, c.n_tokens, c.l0, c.n_alive, c.n_dead, c.n_dense, c.fvu, c.loss_recovered
from scans c
join saes s on s.sae = c.sae
where c.scan_id = $scan_id;
