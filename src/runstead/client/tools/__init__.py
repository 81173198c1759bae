"""Python functions as tools: their schemas, and the calls."""
