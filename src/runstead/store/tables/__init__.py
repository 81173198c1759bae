"""The collections of the port in SQL, shared by both databases."""
