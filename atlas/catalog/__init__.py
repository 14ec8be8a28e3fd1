"""Who is in this atlas: SAEs, scans, models, corpora, and on which of them a command works."""
