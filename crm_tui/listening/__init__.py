"""The third face: a receiver for providers, portals, forms and telephone systems.

It takes a request in and writes down what was brought, and does nothing else: it acts with a
permission to take in, looks nobody up and sends nothing. Handling is the pollers' part.
"""
