"""Finding and acting on many: filters, saved views, bulk."""
