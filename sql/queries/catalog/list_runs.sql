select r.run_id, r.status, r.started_at, r.finished_at, r.command from runs r order by r.run_id desc;
