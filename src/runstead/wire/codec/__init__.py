"""JSON and event streams in and out: requests checked and refused in words, answers read leniently. No IO."""
