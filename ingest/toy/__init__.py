"""The built-in models: two small transformers, their SAEs, an untrained control, and the scripts that train them."""
