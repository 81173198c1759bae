"""The broker: offers of runs, live events and interrupts. They make the system fast; no correctness depends on them."""
