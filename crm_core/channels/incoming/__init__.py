"""What receivers and providers brought, kept sealed until it is handled: written down first, understood afterwards."""
