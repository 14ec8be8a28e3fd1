"""Scripts that make stored expectations from definitions alone."""
