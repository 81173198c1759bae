"""The OpenAI-compatible adapter: any server with a chat completions API."""
