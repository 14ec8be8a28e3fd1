"""Similarities of two features: one file a measure, and what is known of each."""
