"""The calls about files."""

from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.file import MAX_FILE_SIZE, File, FileContent, FileDeleted, FileQuery, FileRequest
from runstead.wire.page import Page

__all__ = ["CREATE_FILE", "DELETE_FILE", "FILES", "FILE_CONTENT", "GET_FILE"]

_MAX_FRAME = 1024 * 1024
"""Bytes of a form beside its file."""

CREATE_FILE: Endpoint[Nothing, FileRequest, File] = Endpoint(
    name="create_file",
    method="POST",
    path="/files",
    body=FileRequest,
    files=("file",),
    reply=File,
    max_body=MAX_FILE_SIZE + _MAX_FRAME,
    beta=False,
)

FILES: Endpoint[FileQuery, Nothing, Page[File]] = Endpoint(
    name="files",
    method="GET",
    path="/files",
    query=FileQuery,
    reply=Page[File],
    beta=False,
)

GET_FILE: Endpoint[Nothing, Nothing, File] = Endpoint(
    name="get_file",
    method="GET",
    path="/files/{file_id}",
    reply=File,
    beta=False,
)

FILE_CONTENT: Endpoint[Nothing, Nothing, FileContent] = Endpoint(
    name="file_content",
    method="GET",
    path="/files/{file_id}/content",
    reply=FileContent,
    gives="bytes",
    beta=False,
)

DELETE_FILE: Endpoint[Nothing, Nothing, FileDeleted] = Endpoint(
    name="delete_file",
    method="DELETE",
    path="/files/{file_id}",
    reply=FileDeleted,
    beta=False,
)
