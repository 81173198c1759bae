"""The store: durable truth over SQLite or PostgreSQL."""
