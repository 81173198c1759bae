"""What makes files searchable: the parts for it, stored texts, and the search in several stores at once."""
