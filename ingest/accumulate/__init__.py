"""Statistics of a scan as mergeable values: `of` a piece of the corpus, `merge`, and a finish."""
