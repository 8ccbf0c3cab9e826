"""Staff, roles, permissions, sign-in, scope."""
