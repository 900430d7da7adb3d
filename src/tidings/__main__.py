"""Runs the command line: `python -m tidings`, and the program `tidings`."""

from tidings.cli.main import main

if __name__ == "__main__":
    main()
