"""One-to-one matchings of features: optimal with a proof, and greedy."""
