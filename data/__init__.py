"""What ships with the program and is not code: playbooks and demo inputs, read through importlib.resources."""
