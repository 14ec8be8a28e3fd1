"""Two tokenizations of one text on one line."""
