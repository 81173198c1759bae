"""The index of passages, and its adapters."""
