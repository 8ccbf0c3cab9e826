"""Messages, gateways, vendors, the contact gate, danger screening, outbox, inbound."""
