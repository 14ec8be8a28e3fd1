"""Forward passes: the model once, every SAE over what it computes."""
