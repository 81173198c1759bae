# Generated from src/runstead/client/_async/__init__.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The client for `asyncio`. The sync client is generated from it."""
