"""`runstead`: the group of all commands."""

import click

from runstead.cli.check import check
from runstead.cli.demo import demo
from runstead.cli.files import files
from runstead.cli.migrate import migrate
from runstead.cli.reindex import reindex
from runstead.cli.serve import serve
from runstead.cli.stores import stores
from runstead.cli.worker import worker
from runstead.wire.control_characters import escape_control
from runstead.wire.error import RunsteadError

__all__ = ["main"]


class _Commands(click.Group):
    """Shows a `RunsteadError` as its message, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except RunsteadError as error:
            raise click.ClickException(escape_control(str(error), keep="\n")) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="runstead")
def main() -> None:
    """Runs on threads, on your own machine.

    `runstead serve` starts a server for programs that use the Assistants API. They work unmodified, once their base URL
    points at it. `runstead demo` shows in a minute what the server does.
    """


for command in (serve, worker, migrate, check, reindex, files, stores, demo):
    main.add_command(command)
