"""The steps, oldest first by their dated names."""
