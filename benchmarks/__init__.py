"""Benchmarks of Runstead, relative to a minimal server on the same machine: `python -m benchmarks`."""
