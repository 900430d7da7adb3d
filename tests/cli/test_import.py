"""`tidings import meetings`: good files are kept, bad ones named, repeats change nothing."""

import sys
from pathlib import Path

import pytest

from tidings.cli.meeting_files import find_files

VTT = """WEBVTT

00:00:01.000 --> 00:00:04.000
<v Ana>We want one order book.

00:00:05.000 --> 00:00:09.000
<v Ben>The risk is the data.
"""


def test_the_sample_twice_imports_nothing_twice(process, cli, sample: Path) -> None:
    files = len(list(sample.glob("*.json")))
    first = process("import", "meetings", str(sample))
    assert (first.code, first.out) == (0, f"{files} created, 0 updated, 0 unchanged.\n")
    assert first.err == ""
    second = cli("import", "meetings", str(sample), "--json")
    assert second.code == 0
    assert second.json == {
        "files": files,
        "meetings": files,
        "created": 0,
        "updated": 0,
        "unchanged": files,
        "errors": [],
        "dry_run": False,
    }


def test_a_bad_file_is_named_with_its_line_and_good_ones_are_kept(cli, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "good.vtt").write_text(VTT)
    (folder / "bad.json").write_text('{"recording_id": 1,\n "title": }')
    (folder / "empty.srt").write_text("")
    done = cli("import", "meetings", str(folder), "--company", "acme.example")
    assert done.code == 1
    assert done.out == "1 created, 0 updated, 0 unchanged; 2 files failed.\n"
    assert f"{folder}/bad.json line 2: " in done.err
    assert f"{folder}/empty.srt line 1: " in done.err
    errors = cli("import", "meetings", str(folder), "--json").json["errors"]
    assert [Path(error["path"]).name for error in errors] == ["bad.json", "empty.srt"]


def test_a_missing_file_fails_and_the_others_are_kept(cli, tmp_path: Path) -> None:
    (tmp_path / "good.vtt").write_text(VTT)
    done = cli("import", "meetings", "nowhere.vtt", "good.vtt", "--invitee", "ana@acme.example")
    assert done.code == 1
    assert done.out.startswith("1 created")
    assert "nowhere.vtt: No such file" in done.err


def test_what_the_command_line_says_stands_where_the_file_is_silent(cli, tmp_path: Path) -> None:
    (tmp_path / "call.vtt").write_text(VTT)
    done = cli(
        "import",
        "meetings",
        "call.vtt",
        "--company",
        "https://www.Acme.example/x",
        "--title",
        "First call",
        "--date",
        "2026-03-04",
        "--invitee",
        "Ana <ana@acme.example>",
        "--invitee",
        "leah@ours.example",
    )
    assert (done.code, done.err) == (0, "")
    again = cli("import", "meetings", "call.vtt", "--company", "acme.example", "--json").json
    assert again["created"] == 0


def test_a_meeting_of_no_company_is_pointed_out(cli, tmp_path: Path) -> None:
    (tmp_path / "call.vtt").write_text(VTT)
    assert "--company" in cli("import", "meetings", "call.vtt").err


def test_a_dry_run_needs_no_database_and_stores_nothing(
    cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "call.vtt").write_text(VTT)
    monkeypatch.setenv("TIDINGS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    done = cli("import", "meetings", "call.vtt", "--dry-run", "--company", "acme.example")
    assert (done.code, done.out) == (0, "1 meeting would be imported.\n")
    assert cli("import", "meetings", "call.vtt", "--dry-run", "--json").json["dry_run"]


@pytest.mark.parametrize(
    "options", [("--invitee", "nobody"), ("--company", "nodots"), ("--company", "127.0.0.1")]
)
def test_bad_options_are_refused_before_any_file(cli, tmp_path: Path, options) -> None:
    (tmp_path / "call.vtt").write_text(VTT)
    done = cli("import", "meetings", "call.vtt", *options)
    assert (done.code, done.out) == (1, "")
    assert "call.vtt" not in done.err


def test_many_meetings_go_in_by_batches(cli, tmp_path: Path) -> None:
    lines = [
        f'{{"recording_id": {n}, "title": "M{n}", "created_at": "2026-01-01T00:00:00Z", '
        f'"calendar_invitees": [{{"email": "a@acme.example"}}]}}'
        for n in range(230)
    ]
    (tmp_path / "many.jsonl").write_text("\n".join(lines))
    assert cli("import", "meetings", "many.jsonl").out.startswith("230 created")


def test_folders_are_searched_for_what_may_be_a_meeting(tmp_path: Path) -> None:
    for name in (
        "b.vtt",
        "deep/a.SRT",
        "README.md",
        "notes.pdf",
        ".hidden/c.vtt",
        ".d.txt",
        "e.md",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.json").mkdir()
    found = find_files([tmp_path, tmp_path / "b.vtt", tmp_path / "notes.pdf"])
    names = [str(path.relative_to(tmp_path)) for path in found]
    assert names == ["b.vtt", "deep/a.SRT", "e.md", "notes.pdf"]


def test_a_hostile_file_name_is_shown_harmless(cli, tmp_path: Path) -> None:
    (tmp_path / "a\x1b]0;owned\x07[red].vtt").write_text("WEBVTT\n")
    done = cli("import", "meetings", str(tmp_path))
    assert done.code == 1
    assert "[red].vtt" in done.err
    assert "\x1b" not in done.err


def test_a_terminal_sees_a_bar(cli, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "/19" in cli("import", "meetings", str(sample), "--dry-run").err
