-- view:    runs
-- grain:   run_id
-- about:   every command that wrote to this atlas
-- columns:
--   run_id       number of the run
--   command      the command line
--   spec         what was asked for, resolved
--   software     versions of featlas and of what it stands on
--   started_at   when it began
--   finished_at  when it was written; null if it never was
--   status       running, done or failed
create or replace view runs as
select r.run_id, r.command, r.spec, r.software, r.started_at, r.finished_at, r.status
from run r;
