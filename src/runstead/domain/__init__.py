"""The rules: plain functions over values. No waiting, no clock, no dice."""
