"""The wire format: types of objects and requests, their codecs, and the table of endpoints. No IO."""
