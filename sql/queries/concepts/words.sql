-- keywords of every concept with their source
select c.concept, c.keyword, c.source
from concepts c
order by c.concept, c.keyword;
