"""The browser: a terminal tool over one atlas. Asks `atlas.queries`; computes nothing."""
