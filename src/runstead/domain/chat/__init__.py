"""The prompt for the model, and its answer while it arrives."""
