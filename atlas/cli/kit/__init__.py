"""What the commands share: groups, options, progress, tables, where output goes."""
