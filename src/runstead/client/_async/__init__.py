"""The client for `asyncio`. The sync client is generated from it."""
