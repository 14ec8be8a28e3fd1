"""The activation store as it is written: shards that are there wholly or not at all."""
