-- names of the models
select m.name
from model m
order by m.model_id;
