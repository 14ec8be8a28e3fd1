select distinct c.concept from concepts c order by c.concept;
