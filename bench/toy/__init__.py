"""The scripts that train the built-in models."""
