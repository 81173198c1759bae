"""The parts of an Office file, which are named by the relationships between them."""

import posixpath
from typing import NamedTuple
from urllib.parse import unquote

from runstead.retrieval.documents.formats.xml_events import elements
from runstead.retrieval.documents.formats.zip_archive import Archive

__all__ = ["Relationship", "main_part", "relationships"]


class Relationship(NamedTuple):
    """A relationship from one part to another one."""

    kind: str
    """The last word of its type, such as `slide`."""
    part: str
    """The name of the entry, which may be missing."""


def main_part(archive: Archive, default: str) -> str:
    """The name of the document's main part."""
    for found in relationships(archive, "").values():
        if found.kind == "officeDocument" and found.part in archive.names:
            return found.part
    return default


def relationships(archive: Archive, part: str) -> dict[str, Relationship]:
    """The relationships of a part (of the package, if empty) to other parts in the file, by their ids, in order."""
    folder, name = posixpath.split(part)
    entries = elements(archive.open(posixpath.join(folder, "_rels", f"{name}.rels")), "Relationship")
    found = {}
    for _, attributes in entries:
        if attributes.get("TargetMode") != "External":
            kind = attributes.get("Type", "").rpartition("/")[2]
            target = posixpath.normpath(posixpath.join("/", folder, unquote(attributes.get("Target", ""))))
            found[attributes.get("Id", "")] = Relationship(kind, target.lstrip("/"))
    return found
