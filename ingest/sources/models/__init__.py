"""Language models through TransformerLens."""
