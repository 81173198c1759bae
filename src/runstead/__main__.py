"""`runstead` and `python -m runstead`: the command line, where it is installed."""

import sys

__all__ = ["main"]


def main() -> None:
    """Do what the command line says. The client comes without it, and then it says how to have it."""
    try:
        from runstead.cli.main import main as command_line  # noqa: PLC0415 (what it needs may be missing)

        command_line()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"", "runstead"}:
            raise
        sys.exit(f"The command line needs {missing}, which is not installed: pip install 'runstead[server]'")


if __name__ == "__main__":
    main()
