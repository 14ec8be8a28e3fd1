"""Sparse autoencoders in every format they come in: find one, read it, encode with it."""
