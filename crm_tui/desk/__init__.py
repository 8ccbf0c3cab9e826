"""The only console code that calls crm_core, a file per mode."""
