"""How features, contexts and pairs look as lines of text, without a terminal library: commands and browser share it."""
