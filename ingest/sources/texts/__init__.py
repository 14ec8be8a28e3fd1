"""Corpora: files, folders, arrays of tokens, data sets of a hub."""
