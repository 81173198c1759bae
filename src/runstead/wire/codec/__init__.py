"""Encoding and decoding: requests, responses and event streams. No IO."""
