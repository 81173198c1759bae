"""The state of a turn that a chat completions server gets back in later calls."""
