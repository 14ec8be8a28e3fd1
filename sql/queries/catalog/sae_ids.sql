select s.name, s.sae_id from sae s;
