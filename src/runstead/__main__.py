"""`python -m runstead` is the command line."""

from runstead.cli.main import main

if __name__ == "__main__":
    main()
