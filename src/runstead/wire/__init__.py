"""What travels: the types of the wire, their codecs and the table of endpoints. No IO."""
