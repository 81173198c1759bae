"""The client for `asyncio`. Its sync twin is generated from it."""
