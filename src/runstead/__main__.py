"""`runstead` and `python -m runstead`: the command line, if its libraries are installed."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line. In an installation of the client alone, exit with the name of the extra to install."""
    try:
        from runstead.cli.main import main as command_line  # noqa: PLC0415 (its libraries may not be installed)

        command_line()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in {"", "runstead"}:
            raise
        sys.exit(f"The command line needs {missing}, which is not installed: pip install 'runstead[server]'")


if __name__ == "__main__":
    main()
