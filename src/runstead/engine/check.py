"""The checker: reads every run, file and vector store in a store, and reports each that breaks an invariant."""

from collections.abc import Callable
from functools import partial

from msgspec import Struct

from runstead.blobs.port import BlobMissing, Blobs
from runstead.domain.invariants import unreleased, violations
from runstead.domain.invariants.record import LedgerPage, RunRecord, Violation
from runstead.domain.invariants.steps_and_messages import count_deleted_messages
from runstead.store.port import FileRow, Store, Tx

__all__ = ["Examined", "examine", "examine_files", "examine_vector_stores"]


class Examined(Struct):
    """How many rows were read, and how many violations were found."""

    runs: int = 0
    active: int = 0
    """Of the runs, those that have not ended."""
    to_recover: int = 0
    """Of the runs, those whose owner is not a live worker."""
    steps: int = 0
    messages: int = 0
    """Only messages that runs wrote."""
    deleted: int = 0
    """Messages that runs wrote and that were deleted afterwards."""
    events: int = 0
    files: int = 0
    vector_stores: int = 0
    store_files: int = 0
    violations: int = 0


async def examine(
    store: Store, found: Callable[[Violation], object], *, alone: bool = False, drained: bool = False, part: int = 200
) -> Examined:
    """Read all runs with their steps, messages and events, and call `found` with each violation.

    The store may be in use: `part` runs are read in one short transaction, and only those are in memory. With `alone`
    no worker uses the store, so every owner counts as dead. With `drained` all workers have stopped and released their
    runs, so a run that is still executing is a violation.
    """
    examined = Examined()
    after: str | None = ""
    while after is not None:
        page = await store.read(partial(_page, after, part))
        after = page.last
        for violation in _violations(page, drained=drained):
            _report(examined, found, violation)
        for record in page.records:
            _count(examined, record, alone=alone)
    return examined


async def examine_files(
    store: Store, blobs: Blobs, examined: Examined, found: Callable[[Violation], object], *, part: int = 200
) -> None:
    """Compare all files with their blobs, and call `found` with each violation.

    A file that is deleted meanwhile is no violation: its row is looked for again.
    """
    after = ""
    projects: set[str] = set()
    while rows := await store.read(lambda tx, after=after: tx.files.audit(after, part)):  # type: ignore[misc]
        for project, row in rows:
            examined.files += 1
            projects.add(project)
            problem = await _problem_of_blob(blobs, row)
            if problem is not None and await store.read(lambda tx, blob=row.blob: tx.files.named([blob])):  # type: ignore[misc]
                _report(examined, found, Violation(row.id, problem))
        after = rows[-1][1].id
    for project in sorted(projects):

        async def sums(tx: Tx, project: str = project) -> tuple[int, int]:
            return await tx.files.usage(project), await tx.files.sum_of_sizes(project)

        counted, real = await store.read(sums)
        if counted != real:
            problem = f"its files have {real} bytes, but {counted} are counted"
            _report(examined, found, Violation(f"project {project}", problem))


async def examine_vector_stores(
    store: Store, examined: Examined, found: Callable[[Violation], object], *, part: int = 200
) -> None:
    """Compare the counts of all vector stores with their files, and those with the files of the project."""
    after = ""
    while rows := await store.read(lambda tx, after=after: tx.vector_stores.audit(after, part, 0)):  # type: ignore[misc]
        for project, row in rows:
            examined.vector_stores += 1
            problem = await store.read(lambda tx, at=(project, row.id): _problem_of_counts(tx, *at))  # type: ignore[misc]
            if problem is not None:
                _report(examined, found, Violation(row.id, problem))
        after = rows[-1][1].id
    last = ("", "")
    while files := await store.read(lambda tx, last=last: tx.store_files.audit(last, part)):  # type: ignore[misc]
        for project, file in files:
            examined.store_files += 1
            place = project, file.vector_store_id, file.id
            problem = await store.read(lambda tx, place=place: _problem_of_store_file(tx, *place))  # type: ignore[misc]
            if problem is not None:
                _report(examined, found, Violation(f"{file.vector_store_id}/{file.id}", problem))
        last = files[-1][1].vector_store_id, files[-1][1].id


async def _problem_of_counts(tx: Tx, project: str, store_id: str) -> str | None:
    row = await tx.vector_stores.get(project, store_id, 0)
    if row is None:
        return None  # deleted meanwhile
    counted = row.store.file_counts, row.store.usage_bytes
    real = await tx.store_files.sums(store_id)
    return None if counted == real else f"its files are {real[0]} with {real[1]} bytes, but {counted} are counted"


async def _problem_of_store_file(tx: Tx, project: str, store_id: str, file_id: str) -> str | None:
    file = await tx.store_files.get(project, store_id, file_id)
    if file is None or await tx.vector_stores.get(project, store_id, 0) is None:
        return None  # removed meanwhile, or of a deleted store, whose rows are removed afterwards
    if file.status != "in_progress" and not await tx.files.get_many(project, [file_id], 0):
        return "the file does not exist"
    if (file.status == "failed") != (file.last_error is not None):
        return f"the file is {file.status}, and its error is {file.last_error}"
    return None


async def _problem_of_blob(blobs: Blobs, row: FileRow) -> str | None:
    try:
        size = await blobs.size(row.blob)
    except BlobMissing:
        return f"the file has no content: the blob {row.blob} is missing"
    if size == row.file.bytes:
        return None
    return f"the file has {row.file.bytes} bytes, but its blob {row.blob} has {size}"


def _report(examined: Examined, found: Callable[[Violation], object], violation: Violation) -> None:
    examined.violations += 1
    found(violation)


async def _page(after: str, limit: int, tx: Tx) -> LedgerPage:
    return await tx.ledger.page(after, limit)


def _violations(page: LedgerPage, *, drained: bool) -> list[Violation]:
    found = [*page.violations]
    found += [violation for record in page.records for violation in violations(record)]
    if drained:
        found += [violation for record in page.records if (violation := unreleased(record)) is not None]
    return found


def _count(examined: Examined, record: RunRecord, *, alone: bool) -> None:
    examined.runs += 1
    examined.active += not record.run.status.terminal
    examined.to_recover += record.owner is not None and (alone or not record.owner_alive)
    examined.steps += len(record.steps)
    examined.messages += len(record.messages)
    examined.deleted += count_deleted_messages(record)
    examined.events += len(record.events)
