"""`tidings-train`: the coefficients that ship with the package, made anew from labelled data."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from tidings.ai.engines.local.linear import Linear, write
from tidings.ai.engines.local.training import replies, requests, sentiment

Name = Literal["sentiment", "requests", "replies"]

SHIPPED = Path(__file__).parent.parent / "coefficients"

app = App(
    name="tidings-train",
    help="Train the local engine's small classifiers.",
    help_format="plaintext",
    version_flags=(),
    result_action="return_value",
)


class Recipe(msgspec.Struct, frozen=True):
    """How one classifier is made, and what its file says of that."""

    train: Callable[[Path], Linear]
    about: tuple[str, ...]


RECIPES: dict[str, Recipe] = {
    "sentiment": Recipe(sentiment.train, sentiment.ABOUT),
    "requests": Recipe(requests.train, requests.ABOUT),
    "replies": Recipe(replies.train, replies.ABOUT),
}


@app.default
def train(
    data: Annotated[Path, Parameter(help="The folder with sentiment/, requests/ and so on.")],
    /,
    *,
    only: Annotated[tuple[Name, ...], Parameter(help="Which to make; unset: all.")] = (),
    into: Annotated[
        Path, Parameter(help="The folder to write to; unset: the package's.")
    ] = SHIPPED,
    check: Annotated[
        bool, Parameter(negative="", help="Write nothing; fail if a file would differ.")
    ] = False,
) -> int:
    """Make the coefficient files from DATA, a folder of labelled data as published.

    The same data makes the same files. `tidings bench quality DATA` says how good they are.
    """
    different = False
    for name in only or RECIPES:
        recipe = RECIPES[name]
        made = write(recipe.train(data), recipe.about)
        file = into / f"{name}.txt"
        same = file.exists() and file.read_text("utf-8") == made
        different = different or not same
        if not check:
            into.mkdir(parents=True, exist_ok=True)
            file.write_text(made, "utf-8")
        said = "the same" if same else "would differ" if check else "written"
        print(f"{name}: {made.count(chr(10)):,} lines, {len(made.encode()):,} bytes, {said}")  # noqa: T201
    return 1 if check and different else 0


def main() -> None:
    """The entry point of the program `tidings-train`."""
    sys.exit(app(sys.argv[1:]))
