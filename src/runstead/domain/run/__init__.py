"""The life of a run: its states, what changes it, its budgets and deadlines."""
