"""`runstead demo`: runs, a tool call, a citation and a crash, on a temporary folder, with the embedded model."""

import tempfile

import click

__all__ = ["demo"]


@click.command()
@click.option("--model-url", metavar="URL", help="Use this chat completions server, not the embedded model.")
@click.option("--model", metavar="NAME", help="The model to use on it. [default: the first in its list]")
def demo(model_url: str | None, model: str | None) -> None:
    """Show a real run on a thread, and how it survives a crash.

    The demo starts a server on a temporary folder, and creates an assistant with a function tool. It runs two turns on
    one thread, asks about a document, then kills the server in the middle of a run and starts it again.
    """
    from rich.console import Console  # other commands do not need rich

    from runstead.cli.demo_scenes import DemoScenes
    from runstead.cli.demo_server import DemoServer

    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="runstead-") as folder:
        server = DemoServer(folder, ("--model-url", model_url) if model_url else ())
        try:
            DemoScenes(console, server, model).play()
        finally:
            server.stop()
    console.print()
    console.rule("What to try next", align="left")
    console.print(_NEXT, soft_wrap=True, markup=False)


_NEXT = """\
runstead serve                       a server that keeps its data in ./runstead-data
runstead serve --model-url URL       the same with your own models: any chat completions server
http://127.0.0.1:8642/v1             the base URL for an existing program; any API key is accepted
http://127.0.0.1:8642/docs           the API reference
runstead.open("runs.db")             the same calls in Python, without a server"""
