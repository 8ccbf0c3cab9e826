"""Keys and their wrapping, sealed values, blind tokens."""
