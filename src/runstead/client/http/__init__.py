"""The client's HTTP: connections, requests, responses and retries."""
