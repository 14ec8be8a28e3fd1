"""From the shards of a scan to rows of the atlas, in one transaction."""
