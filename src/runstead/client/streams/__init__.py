"""What a client remembers of a run's events. No IO."""
