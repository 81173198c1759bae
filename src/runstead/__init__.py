"""Runs on threads, on your own machine."""
