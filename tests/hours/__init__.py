"""Tests of business hours."""
