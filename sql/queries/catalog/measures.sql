-- measures that this featlas knows, with their other names
select m.measure, m.aliases
from measures m;
