"""`tidings kv` against a real database."""

import asyncio
import os
import signal
import subprocess
import sys

import msgspec
import pytest

from tidings.base.errors import TidingsError
from tidings.cli import kv


def test_a_value_goes_in_and_comes_back(cli) -> None:
    assert cli("kv", "set", "greeting", '{"text": "héllo"}').code == 0
    assert cli("kv", "get", "greeting").json == {"text": "héllo"}
    entry = cli("kv", "get", "greeting", "--json").json
    assert entry["key"] == "greeting"
    assert entry["expires_at"] is None


def test_a_value_comes_from_standard_input(cli, process) -> None:
    assert cli("kv", "set", "list", "-", stdin="[1, 2,\n3]").code == 0
    assert cli("kv", "get", "list").out == "[1,2,3]\n"
    assert process("kv", "set", "deep", "-", stdin='"é"').code == 0
    assert process("kv", "get", "deep").out == '"é"\n'


def test_negative_numbers_and_keys_like_options(cli) -> None:
    assert cli("kv", "set", "n", "-5").code == 0
    assert cli("kv", "get", "n").out == "-5\n"
    assert cli("kv", "set", "--", "--key", "1").code == 0
    assert cli("kv", "get", "--", "--key").out == "1\n"


def test_what_is_no_json_is_refused_with_an_example(cli) -> None:
    done = cli("kv", "set", "k", "hello")
    assert done.code == 1
    assert "not JSON" in done.err
    assert "'\"hello\"'" in done.err
    assert cli("kv", "set", "k", "").code == 1


def test_a_missing_key_is_one(cli) -> None:
    done = cli("kv", "get", "nothing")
    assert (done.code, done.out) == (1, "")
    assert "nothing" in done.err


def test_versions_and_absence_are_conditions(cli) -> None:
    written = cli("kv", "set", "k", "1", "--if-absent", "--json").json
    assert cli("kv", "set", "k", "2", "--if-absent").code == 1
    assert (
        cli("kv", "set", "k", "2", "--if-version", str(written["version"]), "--relaxed").code == 0
    )
    assert cli("kv", "set", "k", "3", "--if-version", str(written["version"])).code == 1
    assert cli("kv", "get", "k").out == "2\n"


def test_a_time_to_live_is_shown_and_checked(cli) -> None:
    done = cli("kv", "set", "k", "1", "--ttl", "90.5")
    assert (done.code, done.out) == (0, "")
    assert "expires" in done.err
    assert cli("kv", "get", "k", "--json").json["expires_at"] is not None
    for bad in ("0", "-1", "nan", "1e300"):
        assert cli("kv", "set", "k", "1", "--ttl", bad).code == 1


def test_listing_goes_over_pages(cli) -> None:
    for prefix in ("a:", "b:"):
        values = {f"{prefix}{n:03}": n for n in range(3)}
        for key, value in values.items():
            cli("kv", "set", key, str(value))
    assert [line.split("\t")[0] for line in cli("kv", "list", "a:").out.splitlines()] == [
        "a:000",
        "a:001",
        "a:002",
    ]
    part = cli("kv", "list", "--limit", "4")
    assert len(part.out.splitlines()) == 4
    assert "--limit 8" in part.err
    whole = cli("kv", "list", "--json").json
    assert [item["value"] for item in whole["items"]] == [0, 1, 2, 0, 1, 2]
    assert whole["next_cursor"] is None


def test_a_long_value_is_cut_on_a_terminal(cli) -> None:
    cli("kv", "set", "k", f'"{"x" * 100}"')
    shown = cli("kv", "list", terminal=True).out
    assert "Version" in shown
    assert "x…" in shown
    assert "x" * 60 not in shown


def test_deleting_by_key_and_by_prefix(cli) -> None:
    for key in ("a:1", "a:2", "b"):
        cli("kv", "set", key, "1")
    assert cli("kv", "delete", "--prefix", "a:", "--json").json == {"deleted": 2}
    assert cli("kv", "delete", "b").err == "1 deleted.\n"
    assert cli("kv", "delete", "b").err == "0 deleted.\n"


def test_a_prefix_of_a_service_is_not_written(cli) -> None:
    assert cli("kv", "set", "engagement:a.com:1", "1").code == 1


def test_hostile_keys_and_values_are_shown_harmless(cli) -> None:
    assert cli("kv", "set", "k\x1b]0;owned\x07", '"\x9b31m\\u001b[2J[red]"').code == 0
    for shown in (
        cli("kv", "list").out,
        cli("kv", "list", "--json").out,
        cli("kv", "get", "k\x1b]0;owned\x07").out,
    ):
        assert "\x1b" not in shown
        assert "\x9b" not in shown
        assert "[red]" in shown


def test_two_organizations_have_keys_of_their_own(cli) -> None:
    made = cli("organizations", "add", "north", "--owner", "ana@north.example", "--json")
    assert made.json["slug"] == "north"
    cli("kv", "set", "k", '"default"')
    cli("kv", "set", "k", '"north"', "--organization", "north")
    assert cli("kv", "get", "k").out == '"default"\n'
    assert cli("kv", "get", "k", "--organization", "north").out == '"north"\n'
    assert cli("organizations", "add", "north", "--owner", "ana@north.example").code == 1


@pytest.mark.parametrize("slug", ["nowhere", "No Where", ""])
def test_an_unknown_organization_is_refused_and_not_made(cli, slug: str) -> None:
    for _ in range(2):
        done = cli("kv", "list", "--organization", slug)
        assert done.code == 1
        assert "no organization" in done.err
    assert cli("organizations", "add", "nowhere", "--owner", "a@b.example").code == 0


def watching(*arguments: str) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-m", "tidings", "kv", "watch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stderr is not None
    assert "Watching" in started.stderr.readline()
    return started


def test_a_watch_prints_changes_as_they_come(cli) -> None:
    watch = watching("a:", "--json", "--count", "2")
    cli("kv", "set", "b:1", "0")
    cli("kv", "set", "a:1", "[1]")
    cli("kv", "delete", "a:1")
    out, _ = watch.communicate(timeout=30)
    assert watch.returncode == 0
    first, second = map(msgspec.json.decode, out.splitlines())
    assert (first["op"], first["key"], first["value"]) == ("set", "a:1", [1])
    assert (second["op"], second["key"]) == ("delete", "a:1")


def test_ctrl_c_ends_a_watch_well(cli) -> None:
    watch = watching()
    cli("kv", "set", "a\tb", '"v"')
    assert watch.stdout is not None
    assert watch.stdout.readline().split("\t")[:2] == ["set", "a b"]
    watch.send_signal(signal.SIGINT)
    _, said = watch.communicate(timeout=30)
    assert watch.returncode == 0
    assert "Traceback" not in said


def test_a_watch_here_ends_after_its_count(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    writers = []

    def write(_: str) -> None:
        command = [sys.executable, "-m", "tidings", "kv", "set", "a:1", "[1]"]
        writers.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))

    monkeypatch.setattr(kv, "say", write)
    done = cli("kv", "watch", "a:", "--count", "1")
    assert (done.code, done.out) == (0, "set\ta:1\t1\t[1]\n")
    assert writers[0].wait(timeout=30) == 0


def test_an_interrupted_watch_here_is_ok(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kv, "say", lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert cli("kv", "watch").code == 0


def test_a_watch_that_falls_behind_fails(capsys: pytest.CaptureFixture[str]) -> None:
    async def behind():
        yield kv.Change("delete", "k", 2, 1)

    with pytest.raises(TidingsError, match="fell behind"):
        asyncio.run(kv._print_changes(behind(), None, as_json=False))
    assert capsys.readouterr().out == "delete\tk\t2\n"
