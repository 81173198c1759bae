"""Fetch the clients of other languages: `python -m tests.compat.clients.fetch FOLDER`.

Each comes from its own registry with its own tool, at a fixed version, into a folder of its own. Programs that must be
compiled are compiled there. A client whose tool is missing or fails is left out, and its tests are skipped.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
NODE = "openai@6.49.0"
AZURE, AZURE_PREVIEW = "azure-ai-agents==1.1.0", "azure-ai-agents==1.2.0b6"
GO, GO_VERSION = "github.com/openai/openai-go/v3", "v3.98.0"
KOTLIN, JAVA = HERE / "kotlin" / "pom.xml", HERE / "java" / "pom.xml"
"""They name the versions of the clients."""


def run(*command: str | Path, folder: Path | None = None) -> None:
    """Run a tool. `CalledProcessError` or `OSError` if it fails or is missing."""
    subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=True)


def node(folder: Path) -> None:
    """The official Node client."""
    run("npm", "install", "--silent", "--no-package-lock", "--no-save", "--no-audit", "--no-fund", NODE, folder=folder)


def azure(folder: Path) -> None:
    """The Python client of Azure AI Foundry."""
    run(sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, AZURE)


def azure_preview(folder: Path) -> None:
    """A preview of it."""
    run(sys.executable, "-m", "pip", "install", "--quiet", "--pre", "--target", folder, AZURE_PREVIEW)


def kotlin(folder: Path) -> None:
    """The Kotlin client of the original interface, and the programs over it."""
    run("mvn", "--quiet", "--batch-mode", "--file", KOTLIN, f"-Dout={folder}", "compile")


def java(folder: Path) -> None:
    """The official Java client, and the programs over it."""
    collect = "dependency:copy-dependencies"
    run("mvn", "--quiet", "--batch-mode", "--file", JAVA, f"-DoutputDirectory={folder / 'lib'}", collect)
    programs = sorted((HERE / "java").glob("*.java"))
    run("javac", "-nowarn", "-cp", f"{folder / 'lib'}/*", "-d", folder, *programs)


def go(folder: Path) -> None:
    """The official Go client, and the program over it."""
    for program in (HERE / "go").glob("*.go"):
        shutil.copy(program, folder)
    run("go", "mod", "init", "flows", folder=folder)
    run("go", "get", f"{GO}@{GO_VERSION}", f"{GO}/azure@{GO_VERSION}", folder=folder)
    run("go", "build", "-o", "flows", ".", folder=folder)


def texts(folder: str, pattern: str) -> str:
    """The programs of a client, one after the other."""
    return "".join(path.read_text() for path in sorted((HERE / folder).glob(pattern)))


CLIENTS: Sequence[tuple[Callable[[Path], None], str]] = (
    (node, NODE),
    (azure, AZURE),
    (azure_preview, AZURE_PREVIEW),
    (kotlin, KOTLIN.read_text() + texts("kotlin/src", "*.kt")),
    (java, JAVA.read_text() + texts("java", "*.java")),
    (go, GO_VERSION + texts("go", "*.go")),
)
"""How each client is fetched, and what it is made from: with another version or program it is fetched again."""


def fetch(into: Path) -> None:
    """Fetch what is not there yet."""
    for make, source in CLIENTS:
        name = make.__name__.replace("_", "-")
        folder, stamp = into / name, into / f"{name}.made-from"
        digest = sha256(source.encode()).hexdigest()
        if folder.is_dir() and stamp.is_file() and stamp.read_text() == digest:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"Fetching {name}", flush=True)
        try:
            make(folder)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"Left out {name}: {error}", flush=True)
            shutil.rmtree(folder)
        else:
            stamp.write_text(digest)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]).resolve())
