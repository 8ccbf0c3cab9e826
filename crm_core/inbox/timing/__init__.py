"""Clocks and time: how a clock is counted, shown, and what passing time does."""
