"""Documents of many formats as text. `port` is the interface; `reader` reads each document in a process of its own."""
