"""The widgets, shown by keys pressed and by what reaches a terminal."""
