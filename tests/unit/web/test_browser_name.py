"""What a session's browser is called on the page of one's sessions."""

import pytest

from tidings.web.pages.password import browser_name

GECKO = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (GECKO, "Firefox on Windows"),
        (CHROME + "537.36", "Chrome on Linux"),
        (CHROME + "537.36 Edg/140.0", "Edge on Linux"),
        ("Mozilla/5.0 (iPhone; CPU like Mac OS X) CriOS/140.0 Safari/604.1", "Chrome on an iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15) Safari/605.1.15", "Safari on a Mac"),
        ("Firefox/1", "Firefox"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 100, "x" * 60),
        ("", "unknown"),
    ],
)
def test_a_browser_has_a_name_that_people_know(sent: str, name: str) -> None:
    assert browser_name(sent) == name
