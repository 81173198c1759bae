"""The state that a client keeps of a stream of events. No IO."""
