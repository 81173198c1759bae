"""What goes out by itself, to addresses that strangers may have chosen: port, its adapter, and its rules."""
