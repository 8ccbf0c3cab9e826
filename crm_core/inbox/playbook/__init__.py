"""The inbox's part of a playbook: its files' schema, and what they say of each other."""
