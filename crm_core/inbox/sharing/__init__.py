"""Whose it is: assignment by policy, escalation, hand-over, who else is here."""
