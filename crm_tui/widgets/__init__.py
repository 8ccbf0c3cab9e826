"""Reusable widgets; never import app, screens, desk or crm_core."""
