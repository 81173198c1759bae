"""Every endpoint with the interface's method that implements it."""

from runstead.interface.administration import Administration
from runstead.interface.assistants import Assistants
from runstead.interface.embeddings import Embeddings
from runstead.interface.files import Files
from runstead.interface.messages import Messages
from runstead.interface.models import Models
from runstead.interface.operation import (
    Operation,
    event_operation,
    operation,
    page_operation,
    table_of,
    upload_operation,
)
from runstead.interface.runs import Runs
from runstead.interface.streams import CreateRunStream, CreateThreadRunStream, RunEventStream, SubmitToolOutputStream
from runstead.interface.threads import Threads
from runstead.interface.vector_stores import VectorStores
from runstead.interface.webhooks import Webhooks
from runstead.wire import endpoints as at

__all__ = ["OPERATIONS"]

_ASSISTANTS = (
    operation(
        Assistants.create_assistant,
        at.assistants.CREATE_ASSISTANT,
        lambda rs, path, query, body: rs.create_assistant(body),
    ),
    page_operation(
        Assistants.assistants,
        at.assistants.ASSISTANTS,
        lambda rs, path, query, body: rs.assistants(query.limit, query.order, query.after, query.before),
    ),
    operation(
        Assistants.get_assistant,
        at.assistants.GET_ASSISTANT,
        lambda rs, path, query, body: rs.get_assistant(path["assistant_id"]),
    ),
    operation(
        Assistants.update_assistant,
        at.assistants.UPDATE_ASSISTANT,
        lambda rs, path, query, body: rs.update_assistant(path["assistant_id"], body),
    ),
    operation(
        Assistants.delete_assistant,
        at.assistants.DELETE_ASSISTANT,
        lambda rs, path, query, body: rs.delete_assistant(path["assistant_id"]),
    ),
)

_THREADS = (
    operation(
        Threads.create_thread,
        at.threads.CREATE_THREAD,
        lambda rs, path, query, body: rs.create_thread(body),
    ),
    page_operation(
        Threads.threads,
        at.threads.THREADS,
        lambda rs, path, query, body: rs.threads(query.limit, query.order, query.after, query.before),
    ),
    operation(
        Threads.get_thread,
        at.threads.GET_THREAD,
        lambda rs, path, query, body: rs.get_thread(path["thread_id"]),
    ),
    operation(
        Threads.update_thread,
        at.threads.UPDATE_THREAD,
        lambda rs, path, query, body: rs.update_thread(path["thread_id"], body),
    ),
    operation(
        Threads.delete_thread,
        at.threads.DELETE_THREAD,
        lambda rs, path, query, body: rs.delete_thread(path["thread_id"]),
    ),
)

_MESSAGES = (
    operation(
        Messages.create_message,
        at.messages.CREATE_MESSAGE,
        lambda rs, path, query, body: rs.create_message(path["thread_id"], body),
    ),
    page_operation(
        Messages.messages,
        at.messages.MESSAGES,
        lambda rs, path, query, body: rs.messages(
            path["thread_id"], query.limit, query.order, query.after, query.before, query.run_id
        ),
    ),
    operation(
        Messages.get_message,
        at.messages.GET_MESSAGE,
        lambda rs, path, query, body: rs.get_message(path["thread_id"], path["message_id"]),
    ),
    operation(
        Messages.update_message,
        at.messages.UPDATE_MESSAGE,
        lambda rs, path, query, body: rs.update_message(path["thread_id"], path["message_id"], body.metadata),
    ),
    operation(
        Messages.delete_message,
        at.messages.DELETE_MESSAGE,
        lambda rs, path, query, body: rs.delete_message(path["thread_id"], path["message_id"]),
    ),
)

_RUNS = (
    operation(
        Runs.create_thread_run,
        at.runs.CREATE_THREAD_RUN,
        lambda rs, path, query, body: rs.create_thread_run(body),
        stream=lambda path, query, body: CreateThreadRunStream(body),
    ),
    operation(
        Runs.create_run,
        at.runs.CREATE_RUN,
        lambda rs, path, query, body: rs.create_run(path["thread_id"], body, query.include),
        stream=lambda path, query, body: CreateRunStream(path["thread_id"], body, query.include),
    ),
    page_operation(
        Runs.runs,
        at.runs.RUNS,
        lambda rs, path, query, body: rs.runs(path["thread_id"], query.limit, query.order, query.after, query.before),
    ),
    operation(
        Runs.get_run,
        at.runs.GET_RUN,
        lambda rs, path, query, body: rs.get_run(path["thread_id"], path["run_id"]),
    ),
    operation(
        Runs.update_run,
        at.runs.UPDATE_RUN,
        lambda rs, path, query, body: rs.update_run(path["thread_id"], path["run_id"], body.metadata),
    ),
    operation(
        Runs.submit_tool_output,
        at.runs.SUBMIT_TOOL_OUTPUT,
        lambda rs, path, query, body: rs.submit_tool_output(path["thread_id"], path["run_id"], body.output),
        stream=lambda path, query, body: SubmitToolOutputStream(path["thread_id"], path["run_id"], body.output),
    ),
    operation(
        Runs.cancel,
        at.runs.CANCEL,
        lambda rs, path, query, body: rs.cancel(path["thread_id"], path["run_id"]),
    ),
    page_operation(
        Runs.run_steps,
        at.runs.RUN_STEPS,
        lambda rs, path, query, body: rs.run_steps(
            path["thread_id"], path["run_id"], query.limit, query.order, query.after, query.before, query.include
        ),
    ),
    operation(
        Runs.run_step,
        at.runs.RUN_STEP,
        lambda rs, path, query, body: rs.run_step(path["thread_id"], path["run_id"], path["step_id"], query.include),
    ),
    event_operation(
        Runs.run_events,
        at.runs.RUN_EVENTS,
        lambda path, query, body: RunEventStream(path["thread_id"], path["run_id"], query.after, query.include),
    ),
)

_FILES = (
    upload_operation(Files.create_file, at.files.CREATE_FILE, lambda rs, path, query, body: rs.create_file(body)),
    page_operation(
        Files.files,
        at.files.FILES,
        lambda rs, path, query, body: rs.files(query.limit, query.order, query.after, query.before, query.purpose),
    ),
    operation(Files.get_file, at.files.GET_FILE, lambda rs, path, query, body: rs.get_file(path["file_id"])),
    operation(
        Files.file_content, at.files.FILE_CONTENT, lambda rs, path, query, body: rs.file_content(path["file_id"])
    ),
    operation(Files.delete_file, at.files.DELETE_FILE, lambda rs, path, query, body: rs.delete_file(path["file_id"])),
)

_VECTOR_STORES = (
    operation(
        VectorStores.create_vector_store,
        at.vector_stores.CREATE_VECTOR_STORE,
        lambda rs, path, query, body: rs.create_vector_store(body),
    ),
    page_operation(
        VectorStores.vector_stores,
        at.vector_stores.VECTOR_STORES,
        lambda rs, path, query, body: rs.vector_stores(query.limit, query.order, query.after, query.before),
    ),
    operation(
        VectorStores.get_vector_store,
        at.vector_stores.GET_VECTOR_STORE,
        lambda rs, path, query, body: rs.get_vector_store(path["vector_store_id"]),
    ),
    operation(
        VectorStores.update_vector_store,
        at.vector_stores.UPDATE_VECTOR_STORE,
        lambda rs, path, query, body: rs.update_vector_store(path["vector_store_id"], body),
    ),
    operation(
        VectorStores.delete_vector_store,
        at.vector_stores.DELETE_VECTOR_STORE,
        lambda rs, path, query, body: rs.delete_vector_store(path["vector_store_id"]),
    ),
    operation(
        VectorStores.search_vector_store,
        at.vector_stores.SEARCH_VECTOR_STORE,
        lambda rs, path, query, body: rs.search_vector_store(path["vector_store_id"], body),
    ),
)

_STORE_FILES = (
    operation(
        VectorStores.add_store_file,
        at.vector_stores.ADD_STORE_FILE,
        lambda rs, path, query, body: rs.add_store_file(path["vector_store_id"], body),
    ),
    page_operation(
        VectorStores.store_files,
        at.vector_stores.STORE_FILES,
        lambda rs, path, query, body: rs.store_files(
            path["vector_store_id"], query.limit, query.order, query.after, query.before, query.filter
        ),
    ),
    operation(
        VectorStores.get_store_file,
        at.vector_stores.GET_STORE_FILE,
        lambda rs, path, query, body: rs.get_store_file(path["vector_store_id"], path["file_id"]),
    ),
    operation(
        VectorStores.update_store_file,
        at.vector_stores.UPDATE_STORE_FILE,
        lambda rs, path, query, body: rs.update_store_file(path["vector_store_id"], path["file_id"], body.attributes),
    ),
    operation(
        VectorStores.remove_store_file,
        at.vector_stores.REMOVE_STORE_FILE,
        lambda rs, path, query, body: rs.remove_store_file(path["vector_store_id"], path["file_id"]),
    ),
    operation(
        VectorStores.store_file_content,
        at.vector_stores.STORE_FILE_CONTENT,
        lambda rs, path, query, body: rs.store_file_content(path["vector_store_id"], path["file_id"]),
    ),
    operation(
        VectorStores.create_file_batch,
        at.vector_stores.CREATE_FILE_BATCH,
        lambda rs, path, query, body: rs.create_file_batch(path["vector_store_id"], body),
    ),
    operation(
        VectorStores.get_file_batch,
        at.vector_stores.GET_FILE_BATCH,
        lambda rs, path, query, body: rs.get_file_batch(path["vector_store_id"], path["batch_id"]),
    ),
    operation(
        VectorStores.cancel_file_batch,
        at.vector_stores.CANCEL_FILE_BATCH,
        lambda rs, path, query, body: rs.cancel_file_batch(path["vector_store_id"], path["batch_id"]),
    ),
    page_operation(
        VectorStores.batch_files,
        at.vector_stores.BATCH_FILES,
        lambda rs, path, query, body: rs.batch_files(
            path["vector_store_id"],
            path["batch_id"],
            query.limit,
            query.order,
            query.after,
            query.before,
            query.filter,
        ),
    ),
)

_MODELS = (
    operation(Models.models, at.models.MODELS, lambda rs, path, query, body: rs.models()),
    operation(Models.get_model, at.models.GET_MODEL, lambda rs, path, query, body: rs.get_model(path["model"])),
)

_EMBEDDINGS = (
    operation(Embeddings.embeddings, at.embeddings.EMBEDDINGS, lambda rs, path, query, body: rs.embeddings(body)),
)

_WEBHOOKS = (
    operation(
        Webhooks.create_webhook,
        at.webhooks.CREATE_WEBHOOK,
        lambda rs, path, query, body: rs.create_webhook(body),
    ),
    page_operation(
        Webhooks.webhooks,
        at.webhooks.WEBHOOKS,
        lambda rs, path, query, body: rs.webhooks(query.limit, query.order, query.after, query.before),
    ),
    operation(
        Webhooks.get_webhook,
        at.webhooks.GET_WEBHOOK,
        lambda rs, path, query, body: rs.get_webhook(path["webhook_id"]),
    ),
    operation(
        Webhooks.update_webhook,
        at.webhooks.UPDATE_WEBHOOK,
        lambda rs, path, query, body: rs.update_webhook(path["webhook_id"], body),
    ),
    operation(
        Webhooks.delete_webhook,
        at.webhooks.DELETE_WEBHOOK,
        lambda rs, path, query, body: rs.delete_webhook(path["webhook_id"]),
    ),
    operation(
        Webhooks.rotate_webhook_secret,
        at.webhooks.ROTATE_WEBHOOK_SECRET,
        lambda rs, path, query, body: rs.rotate_webhook_secret(path["webhook_id"], body.keep_old),
    ),
    operation(
        Webhooks.test_webhook,
        at.webhooks.TEST_WEBHOOK,
        lambda rs, path, query, body: rs.test_webhook(path["webhook_id"], body.event_type),
    ),
    page_operation(
        Webhooks.webhook_deliveries,
        at.webhooks.WEBHOOK_DELIVERIES,
        lambda rs, path, query, body: rs.webhook_deliveries(
            path["webhook_id"], query.limit, query.order, query.after, query.before
        ),
    ),
    operation(
        Webhooks.replay_webhook_delivery,
        at.webhooks.REPLAY_WEBHOOK_DELIVERY,
        lambda rs, path, query, body: rs.replay_webhook_delivery(path["webhook_id"], path["delivery_id"]),
    ),
)

_ADMINISTRATION = (
    operation(
        Administration.project_limits,
        at.projects.PROJECT_LIMITS,
        lambda rs, path, query, body: rs.project_limits(path["project_id"]),
    ),
    operation(
        Administration.update_project_limits,
        at.projects.UPDATE_PROJECT_LIMITS,
        lambda rs, path, query, body: rs.update_project_limits(
            path["project_id"], body.max_running, body.max_queued, body.max_file_bytes
        ),
    ),
)

OPERATIONS: dict[str, Operation] = table_of(
    *_ASSISTANTS,
    *_THREADS,
    *_MESSAGES,
    *_RUNS,
    *_FILES,
    *_VECTOR_STORES,
    *_STORE_FILES,
    *_MODELS,
    *_EMBEDDINGS,
    *_WEBHOOKS,
    *_ADMINISTRATION,
)
"""Every operation by the name of its endpoint."""
