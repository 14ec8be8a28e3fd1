"""What every part of the browser may use: the store, styles, messages, what went wrong."""
