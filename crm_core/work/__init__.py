"""Units of work: what a service is handed to read or write."""
