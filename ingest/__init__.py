"""The writers: models and SAEs are run over a corpus and reduced to rows of an atlas."""
