"""The only console code that calls crm_core, a file per mode.

Every method is synchronous and is called from a thread worker. Values go in and frozen views
come out, so that the calls can later cross a socket.
"""
