"""Maintenance: one loop a file. Several processes over one store run the same loops side by side."""
