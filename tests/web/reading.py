"""Reading pages as a browser without JavaScript does."""

import html
import re
from uuid import UUID

import httpx

from web.house import Browser, House, Team

SAID = (
    "our goal is to open the second site by spring.",
    "The biggest challenge is that the booking system keeps losing appointments.",
    "There is a risk that the supplier will not deliver the data in time.",
    "I would recommend that we start the pilot with one clinic first.",
)
HOSTILE = "<script>alert('x')</script>\"&"


def words_of(answer: httpx.Response) -> str:
    """The words of a page, without its markup."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text)))


async def read(browser: Browser, path: str, status: int = 200) -> str:
    answer = await browser.get(path)
    assert answer.status_code == status, words_of(answer)[:2000]
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


async def follow(browser: Browser, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text[:3000]
    return await read(browser, answer.headers["location"])


def field_of(page: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', page)
    assert found is not None, name
    return html.unescape(found[1])


async def summarised(house: House, team: Team, domain: str = "a.example") -> UUID:
    return (await house.summarise(team, domain, *SAID)).id
