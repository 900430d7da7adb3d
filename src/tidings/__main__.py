"""Runs the command line."""

from cyclopts import App

from tidings.cli.up import demo, serve, up, work


def main() -> None:
    """The command line."""
    app = App(name="tidings")
    for command in (demo, up, serve, work):
        app.command(command)
    app()


if __name__ == "__main__":
    main()
