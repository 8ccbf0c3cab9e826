"""The demo's inputs: invented people and a plan of what they wrote and what staff did.

Everything is made from `data/demo` and a seed, in the formats real data comes in; it reaches
the store only through the importers, `receive` and the services.
"""
