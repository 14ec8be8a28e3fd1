select s.* from scores s order by s.score_id desc;
