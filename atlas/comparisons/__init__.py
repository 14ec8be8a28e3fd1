"""The jobs between the activation store, `pairing` and the database: read, compare, write in one transaction."""
