"""Models: the port, its adapters, and the router that chooses an adapter by model name."""
