"""The clinic's own rules as files: load, check, apply."""
