"""The styles of a DOCX file, as far as they say what a paragraph is."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from runstead.retrieval.documents.formats.xml_events import parse_xml
from runstead.retrieval.documents.formats.zip_archive import Archive

__all__ = ["Style", "read_styles"]

MAX_STYLES = 20_000
_MAX_ANCESTORS = 20


class Style(Struct, frozen=True):
    """The meaning of a style for its paragraphs."""

    level: int = 0
    """The level of a heading, or 0."""
    title: bool = False
    listed: bool = False
    parent: str = ""


def read_styles(archive: Archive, part: str) -> dict[str, Style]:
    """The styles by their ids, each with what it has from its ancestors."""
    found = _Styles()
    if (stream := archive.open(part)) is not None:
        parse_xml(stream, found)
    return {name: _inherited(style, found.styles) for name, style in found.styles.items()}


def _inherited(style: Style, styles: Mapping[str, Style]) -> Style:
    ancestor = style
    for _ in range(_MAX_ANCESTORS):
        if style.level or ancestor.parent not in styles:
            break
        ancestor = styles[ancestor.parent]
        style = replace(style, level=ancestor.level, listed=style.listed or ancestor.listed)
    return style


class _Styles:
    """Collects styles."""

    def __init__(self) -> None:
        self.styles: dict[str, Style] = {}
        self._id = ""
        self._style = Style()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        value = attributes.get("val", "")
        match name:
            case "style":
                self._id, self._style = attributes.get("styleId", ""), Style()
            case "name":
                self._style = replace(self._style, title=value.casefold() == "title", level=_heading(value))
            case "basedOn":
                self._style = replace(self._style, parent=value)
            case "numId":
                self._style = replace(self._style, listed=True)
            case "outlineLvl" if value in set("012345") and not self._style.title:
                self._style = replace(self._style, level=int(value) + 1)
            case _:
                pass

    def end(self, name: str) -> None:
        if name == "style" and len(self.styles) < MAX_STYLES:
            self.styles[self._id] = self._style

    def data(self, text: str) -> None: ...


def _heading(name: str) -> int:
    """The level of a style named `heading 2`, as Word names it in every language."""
    word, _, number = name.casefold().partition(" ")
    return int(number) if word == "heading" and number in set("123456") else 0
