"""Where things come from: texts, contexts, vocabularies, models and SAEs."""
