"""Lanes, conversations, routing, clocks and the work loop."""
