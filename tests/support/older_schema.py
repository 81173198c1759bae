"""Schemas of earlier versions, made by the first of the migrations."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

__all__ = ["migrations_up_to"]


@contextmanager
def migrations_up_to(number: int, migrations: ModuleType, tmp_path: Path) -> Iterator[None]:
    """While inside, stores migrate to this schema and no further. `migrations` is the module of one kind of store."""
    folder = tmp_path / f"{migrations.__name__}_{number}"
    folder.mkdir(exist_ok=True)
    for file in sorted(migrations._FOLDER.glob("*.sql"))[:number]:
        shutil.copy(file, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "_FOLDER", folder)
        yield
