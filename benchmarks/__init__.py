"""How fast is Runstead here, against what cannot be beaten: `python -m benchmarks`."""
