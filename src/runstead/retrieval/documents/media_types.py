"""The media types of documents, and the extensions of those that are text."""

from enum import StrEnum

__all__ = ["LINE_TYPES", "TEXT_TYPES", "MediaType"]


class MediaType(StrEnum):
    """The media type of a document."""

    TEXT = "text/plain"
    MARKDOWN = "text/markdown"
    HTML = "text/html"
    CSV = "text/csv"
    TSV = "text/tab-separated-values"
    JSON = "application/json"
    XML = "application/xml"
    YAML = "application/yaml"
    TOML = "application/toml"
    C = "text/x-c"
    CPP = "text/x-c++"
    CSHARP = "text/x-csharp"
    CSS = "text/css"
    GO = "text/x-golang"
    JAVA = "text/x-java"
    JAVASCRIPT = "text/javascript"
    KOTLIN = "text/x-kotlin"
    PHP = "text/x-php"
    PYTHON = "text/x-python"
    RUBY = "text/x-ruby"
    RUST = "text/x-rust"
    SHELL = "application/x-sh"
    SQL = "application/sql"
    TEX = "text/x-tex"
    TYPESCRIPT = "application/typescript"
    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    EPUB = "application/epub+zip"
    RTF = "application/rtf"


TEXT_TYPES = {
    ".c": MediaType.C,
    ".h": MediaType.C,
    ".cc": MediaType.CPP,
    ".cpp": MediaType.CPP,
    ".hpp": MediaType.CPP,
    ".cs": MediaType.CSHARP,
    ".css": MediaType.CSS,
    ".csv": MediaType.CSV,
    ".go": MediaType.GO,
    ".htm": MediaType.HTML,
    ".html": MediaType.HTML,
    ".xhtml": MediaType.HTML,
    ".java": MediaType.JAVA,
    ".js": MediaType.JAVASCRIPT,
    ".jsx": MediaType.JAVASCRIPT,
    ".mjs": MediaType.JAVASCRIPT,
    ".json": MediaType.JSON,
    ".jsonl": MediaType.JSON,
    ".kt": MediaType.KOTLIN,
    ".markdown": MediaType.MARKDOWN,
    ".md": MediaType.MARKDOWN,
    ".php": MediaType.PHP,
    ".py": MediaType.PYTHON,
    ".rb": MediaType.RUBY,
    ".rs": MediaType.RUST,
    ".sh": MediaType.SHELL,
    ".sql": MediaType.SQL,
    ".tex": MediaType.TEX,
    ".toml": MediaType.TOML,
    ".ts": MediaType.TYPESCRIPT,
    ".tsv": MediaType.TSV,
    ".tsx": MediaType.TYPESCRIPT,
    ".txt": MediaType.TEXT,
    ".xml": MediaType.XML,
    ".yaml": MediaType.YAML,
    ".yml": MediaType.YAML,
}
"""Media types by extension. Text with any other extension is plain text."""

_PROSE = frozenset({MediaType.TEXT, MediaType.MARKDOWN, MediaType.HTML, MediaType.TEX})
LINE_TYPES = frozenset(TEXT_TYPES.values()) - _PROSE
"""Texts whose lines are units: records and source code."""
