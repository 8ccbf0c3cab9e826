"""Tasks: what is to be done, by whom and by when, and what must be known before it is done."""
