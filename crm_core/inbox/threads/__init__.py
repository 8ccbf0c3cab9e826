"""What belongs in which conversation: letters, merging, splitting, moving to another patient."""
