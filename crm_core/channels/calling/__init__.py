"""Calls: the list of patients who are to be called rather than written to."""
