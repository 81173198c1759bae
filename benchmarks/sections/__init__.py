"""The sections of the benchmark. Each starts its own processes and returns its `Findings`."""
