"""`tidings import messages`: into a channel, once, with what failed named."""

from pathlib import Path

LOG = "[09:00] <ana> Is the build green?\n[09:01] <bo> yes\n"


def test_into_a_channel_twice(cli, process, tmp_path: Path) -> None:
    log = tmp_path / "2026-01-05.txt"
    log.write_text(LOG)
    missing = cli("import", "messages", str(log), "--channel", "dev")
    assert missing.code == 1
    assert "There is no channel dev; make it with --create." in missing.err
    dry = cli("import", "messages", str(log), "--channel", "dev", "--create", "--dry-run")
    assert (dry.code, dry.out) == (0, "2 messages would be imported.\n")
    first = process("import", "messages", str(log), "--channel", "dev", "--create", "--me", "Bo")
    assert (first.code, first.out, first.err) == (0, "2 created, 0 there already.\n", "")
    again = cli("import", "messages", str(log), "nowhere.csv", "--channel", "dev", "--json")
    assert again.code == 1
    found = again.json
    assert (found["files"], found["messages"], found["created"], found["duplicates"]) == (
        1,
        2,
        0,
        2,
    )
    assert found["errors"][0]["detail"] == "nowhere.csv: No such file or directory."
    by_id = cli("import", "messages", str(log), "--channel", found["channel_id"], "--dry-run")
    assert (by_id.code, by_id.out) == (0, "2 messages would be imported.\n")
    rows = tmp_path / "rows.csv"
    rows.write_text("from,date,text\nana,2026-01-05,hello\nana,never,x\n")
    partly = cli("import", "messages", str(rows), "--channel", "dev")
    assert (partly.code, partly.out) == (1, "1 created, 0 there already; 1 errors.\n")
    assert f"{rows} line 3: sent_at: is no time" in partly.err
    odd = cli(
        "import",
        "messages",
        str(tmp_path / "2026-01-05.txt"),
        "--channel",
        "dev",
        "--format",
        "whatsapp",
    )
    assert (odd.code, odd.out) == (1, "0 created, 0 there already; 1 errors.\n")
    assert cli("import", "messages", str(log)).code == 2


def test_a_folder_of_days_and_what_is_no_day(cli, tmp_path: Path) -> None:
    (tmp_path / "2026-01-05.raw.txt").write_text(LOG)
    (tmp_path / "2026-01-06.raw.txt").write_text(LOG)
    (tmp_path / "2026-01-05.annotation.txt").write_text("1000 1001 -\n")
    found = cli("import", "messages", str(tmp_path), "--channel", "days", "--create", "--dry-run")
    assert (found.code, found.out) == (0, "4 messages would be imported.\n")
    assert found.err == f"{tmp_path}: 1 files are left out, as nothing tells what they are.\n"
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing = cli("import", "messages", str(empty), "--channel", "days", "--create", "--dry-run")
    assert nothing.code == 1
    assert "is no Slack export, and nothing in it tells what it is" in nothing.err
