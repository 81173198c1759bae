"""The tool calls of an answer."""
