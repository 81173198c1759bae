"""From a request to an operation, and from its result to an answer: one handler for each kind of result."""
