"""Maintenance: one file, one loop, one query each."""
