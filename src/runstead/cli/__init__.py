"""The command line: `runstead serve`, `worker`, `migrate`, `check` and `demo`."""
