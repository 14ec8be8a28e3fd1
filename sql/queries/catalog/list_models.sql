-- every model with the number of its SAEs
select m.name as model, m.architecture, m.d_model, m.n_layers, m.n_ctx, t.n_vocab, m.tokenizer_id as tokenizer, count(s.sae_id) as n_saes, m.source
from model m
join tokenizer t using (tokenizer_id)
left join sae s using (model_id)
group by all
order by m.name;
