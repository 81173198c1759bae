"""The execution of one claimed run, from the claim to its end or pause."""
