"""One question a file; each starts what it needs and gives its `Findings`."""
