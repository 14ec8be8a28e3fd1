"""The SQL console."""
