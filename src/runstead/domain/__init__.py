"""The rules: pure functions over values. They do no IO, read no clock and draw no random numbers."""
