"""The only home of engines, drivers and migrations."""
