"""From a queried subset of matched features to a number, its null and its row."""
