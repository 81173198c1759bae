"""The interfaces over the store: assistants, threads, messages, runs, models, webhooks."""
