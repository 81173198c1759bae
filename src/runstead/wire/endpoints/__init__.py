"""The table of endpoints: the only place that names paths. Server, client and OpenAPI document are made from it."""

from runstead.wire.endpoints import assistants, embeddings, messages, models, projects, runs, threads, webhooks
from runstead.wire.endpoints.endpoint import AnyEndpoint, Endpoint

__all__ = ["ENDPOINTS"]

ENDPOINTS: dict[str, AnyEndpoint] = {
    value.name: value
    for module in (assistants, threads, messages, runs, models, embeddings, webhooks, projects)
    for value in vars(module).values()
    if isinstance(value, Endpoint)
}
"""Every endpoint by its name."""
