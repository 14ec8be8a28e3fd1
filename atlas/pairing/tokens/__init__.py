"""Two tokenizations of one text, aligned."""
