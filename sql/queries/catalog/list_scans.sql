select c.* from scans c order by c.scan_id;
