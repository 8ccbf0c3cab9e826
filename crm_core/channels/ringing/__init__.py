"""Calls that ring: a telephone system says who calls, and the console offers whom that may be."""
