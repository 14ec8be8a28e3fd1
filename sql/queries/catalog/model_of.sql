-- hash and name of an SAE's model
select m.sha256, m.name from sae s join model m using (model_id) where s.name = $sae;
