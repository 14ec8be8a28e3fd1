"""Families of features of one SAE that fire together."""
