"""The worker: it claims and executes runs, and its maintenance loops recover, expire and prune."""
