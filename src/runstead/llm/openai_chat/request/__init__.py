"""The request to a chat completions server: its encoding, and the fields that a server refuses."""
