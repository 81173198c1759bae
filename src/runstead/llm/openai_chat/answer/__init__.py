"""The answer of a chat completions server: from bytes to the pieces of the model port."""
