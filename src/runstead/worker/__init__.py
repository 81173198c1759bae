"""Who executes: the worker, and the loops that look after what nobody works on."""
