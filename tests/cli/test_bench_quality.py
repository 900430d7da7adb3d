"""`tidings bench quality` grades the local engine on a folder of labelled conversations."""

import pytest

from tidings.cli.bench import quality

from factories.labelled import make_labelled


@pytest.fixture
def data(tmp_path):
    return make_labelled(tmp_path / "labelled")


def test_everything_is_graded(cli, data):
    done = cli("bench", "quality", str(data), "--json")
    grades = {grade["name"]: grade for grade in done.json}
    assert grades["Sentiment: accuracy"] == {
        "name": "Sentiment: accuracy",
        "value": 1.0,
        "least": 0.5,
    }
    assert grades["Sentiment, majority (all neutral): accuracy"]["value"] == 0.5
    assert grades["neutral read as neutral"]["value"] == 1.0
    assert grades["Sentiment, lexicon alone (VADER's way): macro-F1"]["least"] is None
    picked = grades["Summary: ROUGE-1 F1"]
    assert picked["least"] == grades["Summary, first three messages: ROUGE-1 F1"]["value"]
    assert picked["value"] > picked["least"]
    assert 0 <= grades["Requests, cross-validated: F1"]["value"] <= 1
    assert grades["Reply links, by day: F1"]["least"] == 0.62
    assert "cross-validation" in done.err
    missed = [g for g in done.json if g["least"] is not None and g["value"] < g["least"]]
    assert done.code == (1 if missed else 0)


def test_as_a_table_without_training(cli, data, monkeypatch):
    monkeypatch.setattr(quality, "_trained", None)
    done = cli("bench", "quality", str(data), "--quick", terminal=True)
    assert done.code == 0, done.err
    assert "Sentiment: macro-F1" in done.out
    assert "0.48" in done.out


def test_what_is_too_low_is_said(cli, data):
    file = data / "grading" / "meld-dev.csv"
    text = file.read_text("utf-8").replace("positive", "x").replace("negative", "positive")
    file.write_text(text.replace("x", "negative"), "utf-8")
    done = cli("bench", "quality", str(data), "--quick")
    assert done.code == 1
    assert "Below what it has to be: Sentiment: macro-F1" in done.err


def test_a_folder_without_data(cli, tmp_path):
    done = cli("bench", "quality", str(tmp_path), "--quick")
    assert done.code == 1
    assert "meld-dev.csv" in done.err
