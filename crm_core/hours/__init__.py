"""Business calendars: pure arithmetic of working time."""
