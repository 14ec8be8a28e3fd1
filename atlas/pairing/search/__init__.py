"""The best partners of every feature, in both directions and in bounded memory, and their chance level."""
