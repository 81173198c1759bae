"""What the model is asked, and its answer while it arrives."""
