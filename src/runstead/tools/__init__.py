"""The tools that the server runs itself: their port, and one module for each of them."""
