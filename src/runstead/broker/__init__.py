"""Speed: hints that a run is ready, live events, and interrupts. Nothing depends on their arrival."""
