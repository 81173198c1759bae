"""From a request to an operation, and from what it gives to an answer: one handler for each way of giving."""
