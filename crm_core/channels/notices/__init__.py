"""Notices: what the house sends by itself, later, to one patient."""
