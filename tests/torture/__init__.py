"""Long campaigns: processes killed at random and scripted desks, run by `make torture`."""
