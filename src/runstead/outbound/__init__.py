"""Webhook deliveries: the port, its HTTP adapter, the guard against private addresses, and the signing key."""
