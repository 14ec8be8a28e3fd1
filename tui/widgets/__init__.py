"""Tables, lines and boxes; they know no view."""
