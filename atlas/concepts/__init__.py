"""Concepts: lexicons, the rules by which features belong to them, and counts of their features."""
