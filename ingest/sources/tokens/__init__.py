"""From documents to contexts of tokens."""
