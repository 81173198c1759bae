"""HTTP in and out: the table of endpoints, served. Decides nothing."""
