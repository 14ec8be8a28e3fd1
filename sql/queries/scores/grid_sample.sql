-- corpora that the scores of a grid rest on, with their tokens
select g.corpus, max(c.n_tokens) as n_tokens
from grids g
join scans c on c.sae = g.sae_a and c.corpus = g.corpus
where g.grid = $grid
group by g.corpus
order by g.corpus;
