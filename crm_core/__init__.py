"""The clinic's relationship core: knows no terminal, opens nothing at import."""
