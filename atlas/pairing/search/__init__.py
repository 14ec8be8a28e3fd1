"""The best partners of every feature, both ways, in bounded memory, and how good they are by chance."""
