"""The two faces: the Textual console and the typer command line."""
