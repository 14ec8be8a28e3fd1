-- one score with the command and the spec of its run
select s.*, r.command, r.spec
from scores s
join runs r using (run_id)
where s.score_id = $score;
