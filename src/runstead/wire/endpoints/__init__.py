"""The table of endpoints: the only place that names paths. Server, client and OpenAPI document are made from it."""

from runstead.wire.endpoints import (
    assistants,
    embeddings,
    files,
    messages,
    models,
    projects,
    runs,
    threads,
    vector_stores,
    webhooks,
)
from runstead.wire.endpoints.endpoint import AnyEndpoint, Endpoint

__all__ = ["ENDPOINTS"]

ENDPOINTS: dict[str, AnyEndpoint] = {
    value.name: value
    for module in (assistants, threads, messages, runs, files, vector_stores, models, embeddings, webhooks, projects)
    for value in vars(module).values()
    if isinstance(value, Endpoint)
}
"""Every endpoint by its name."""
