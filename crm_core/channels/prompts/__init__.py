"""Prompts: what one automatic message asked, and how a reply is read."""
