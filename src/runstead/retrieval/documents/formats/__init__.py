"""One module for each format. They run in a confined process, and never touch the disk or the network."""
