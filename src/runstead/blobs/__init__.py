"""Blobs: the bytes of files, apart from the rows that say what they are."""
