"""Speed: hints that work is ready, live events, and stop signals. Nothing depends on their arrival."""
