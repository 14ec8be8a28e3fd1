"""Similarities between the features of two SAEs."""
