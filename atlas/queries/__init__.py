"""Typed reads of an atlas: one function for each question, each over a file in `sql/queries/`."""
