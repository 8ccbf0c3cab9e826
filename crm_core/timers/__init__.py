"""Durable timers: everything that must happen later is a row that any poller may claim."""
