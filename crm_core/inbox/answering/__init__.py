"""Answering the patient: texts, templates, calls, later, and what becomes of an answer."""
