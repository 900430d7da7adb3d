"""The palettes keep WCAG AA, computed from the custom properties themselves."""

import re
from pathlib import Path

import pytest

import tidings.web

STATIC = Path(tidings.web.__file__).parent / "static"
TOKENS = (STATIC / "css" / "tokens.css").read_text("utf-8")
PALETTES = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", TOKENS
    )
}
TEXT = [
    *[
        (ink, ground)
        for ink in ("ink", "quiet", "accent", "amber", "red", "green")
        for ground in ("paper", "card")
    ],
    *[(ink, "wash") for ink in ("ink", "quiet", "accent")],
    ("amber", "amber-wash"),
    ("ink", "amber-wash"),
    ("red", "red-wash"),
    ("ink", "red-wash"),
    ("green", "green-wash"),
    ("ink", "green-wash"),
    ("on-accent", "accent"),
]
SHAPES = [
    ("edge", "paper"),
    ("edge", "card"),
    ("accent", "paper"),
    ("bar", "paper"),
    ("accent", "line"),
]


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    """color-mix(in srgb, one share, other)."""
    pairs = zip(*((int(c[at : at + 2], 16) for at in (1, 3, 5)) for c in (one, other)), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def test_contrast_is_computed_right() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_is_readable(ink: str, ground: str, palette: str) -> None:
    assert contrast(PALETTES[ink][palette], PALETTES[ground][palette]) >= 4.5


@pytest.mark.parametrize("palette", ["light", "dark"])
def test_quiet_tags_are_readable(palette: str) -> None:
    ground = mixed(PALETTES["line"][palette], PALETTES["paper"][palette], 0.55)
    assert contrast(PALETTES["quiet"][palette], ground) >= 4.5


@pytest.mark.parametrize("palette", ["light", "dark"])
@pytest.mark.parametrize(("shape", "ground"), SHAPES)
def test_shapes_are_visible(shape: str, ground: str, palette: str) -> None:
    assert contrast(PALETTES[shape][palette], PALETTES[ground][palette]) >= 3


def test_colours_are_tokens_only() -> None:
    for sheet in STATIC.glob("css/*.css"):
        if sheet.name in {"tokens.css", "print.css"}:
            continue
        literal = re.findall(r"#[0-9a-fA-F]{3,8}\b", sheet.read_text("utf-8"))
        assert not literal, sheet.name


def test_every_token_used_exists() -> None:
    made = set(re.findall(r"(--[\w-]+):", TOKENS))
    for sheet in STATIC.glob("css/*.css"):
        assert set(re.findall(r"var\((--[\w-]+)\)", sheet.read_text("utf-8"))) <= made, sheet.name


def test_style_rules_of_the_house() -> None:
    for sheet in STATIC.glob("css/*.css"):
        text = sheet.read_text("utf-8")
        assert "gradient(" not in text, sheet.name
        assert "url(" not in text, sheet.name
        assert "@import" not in text, sheet.name


def test_scripts_keep_to_the_policy() -> None:
    for script in STATIC.glob("js/*.js"):
        text = script.read_text("utf-8")
        for banned in (
            "eval(",
            "innerHTML",
            "document.write",
            "new Function",
            'setAttribute("style"',
            "https://",
        ):
            assert banned not in text, (script.name, banned)


def test_the_timeout_sentence_is_the_contracts() -> None:
    text = (STATIC / "js" / "progress.js").read_text("utf-8")
    assert '"Engagement summary timed out after 60 seconds. Please try again."' in text
