"""How a store's schema came to be; each step has a dated name and runs on both stores."""
