"""Why a file cannot be read: every reason, with the words that users see.

A confined process names the reason and the format. The words are added outside of it, so that a document that took over
such a process cannot choose them.
"""

from enum import StrEnum

from runstead.retrieval.documents.port import MAX_CHARACTERS, DocumentError, ErrorCode

__all__ = ["Reason", "Refused", "document_error"]


class Reason(StrEnum):
    """Why a file cannot be read."""

    EMPTY = "empty"
    NO_TEXT = "no_text"
    SCANNED = "scanned"
    PROTECTED = "protected"
    DAMAGED = "damaged"
    TOO_LONG = "too_long"
    TOO_COMPLEX = "too_complex"
    LIMITS = "limits"
    UNKNOWN_FORMAT = "unknown_format"
    MEDIA = "media"
    ARCHIVE = "archive"
    OLD_OFFICE = "old_office"
    OPEN_DOCUMENT = "open_document"
    FAILURE = "failure"


class Refused(Exception):
    """Raised by a format's reader. `detail` is for the log alone."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


_WORDS: dict[Reason, tuple[ErrorCode, str]] = {
    Reason.EMPTY: ("invalid_file", "The file is empty."),
    Reason.NO_TEXT: ("invalid_file", "The file contains no text."),
    Reason.SCANNED: (
        "invalid_file",
        "The PDF contains no text: its pages are probably scanned images. Run text recognition (OCR) on it first.",
    ),
    Reason.PROTECTED: ("invalid_file", "The file is protected by a password. Upload it without one."),
    Reason.DAMAGED: ("invalid_file", "The file is damaged, or its content does not match its name."),
    Reason.TOO_LONG: (
        "invalid_file",
        f"The file contains more text than the maximum of 5,000,000 tokens (about {MAX_CHARACTERS:,} characters).",
    ),
    Reason.TOO_COMPLEX: ("invalid_file", "The file has too many parts, too large parts, or parts nested too deeply."),
    Reason.LIMITS: ("invalid_file", "The file could not be read within its limits."),
    Reason.UNKNOWN_FORMAT: (
        "unsupported_file",
        (
            "The file is in no supported format. Supported are text, Markdown, HTML, JSON, CSV, source code, PDF, "
            "DOCX, PPTX, XLSX, EPUB and RTF."
        ),
    ),
    Reason.MEDIA: ("unsupported_file", "Images, audio and video contain no text that can be searched."),
    Reason.ARCHIVE: ("unsupported_file", "Archives are not supported. Upload the files in it one by one."),
    Reason.OLD_OFFICE: (
        "unsupported_file",
        "Files of Office 97-2003 are not supported. Save the file as DOCX, PPTX or XLSX.",
    ),
    Reason.OPEN_DOCUMENT: (
        "unsupported_file",
        "OpenDocument files are not supported. Save the file as DOCX, PPTX, XLSX or PDF.",
    ),
    Reason.FAILURE: ("server_error", "The file could not be read because of a failure on the server."),
}


def document_error(reason: Reason) -> DocumentError:
    """The error that users see for a reason."""
    return DocumentError(*_WORDS[reason])
