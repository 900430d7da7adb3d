"""A folder of labelled conversations in the published shapes, with sentences of our own."""

import json
from pathlib import Path

RATED = (
    ("2.5", "What a lovely little player, I adore it"),
    ("1.9", "great sound and a great price"),
    ("-2.2", "the worst thing I ever bought, awful"),
    ("-1.4", "it broke and support was rude"),
    ("0.1", "the box has four screws"),
    ("0.0", "it comes with a cable"),
)
ASKED = (
    ("Yes", "Please send me the contract by Friday."),
    ("Yes", "Could you call me tomorrow?"),
    ("Yes", "Please let me know what you think."),
    ("No", "The office was painted last week."),
    ("No", "We went to the lake. It was cold."),
    ("No", "I think the report was fine."),
)
QUERIES = [["what is on my calendar", "calendar"], ["thanks a lot", "thank_you"]]
CHAT = (
    "=== anna [~anna@host.example] has joined #lake",
    "[10:00] <anna> hi, does anyone know how to mount a usb disk?",
    "[10:00] <ben> anna: look at the disk with fdisk first",
    "[10:01] <carl> which release has the new kernel?",
    "[10:01] <anna> ben: thanks, the disk is sdb",
    "[10:02] * ben nods",
    "[10:02] <dora> carl: the kernel is in the march release",
)
ANSWERS = ("0 0 -", "1 1 -", "1 2 -", "3 3 -", "2 4 -", "4 5 -", "3 6 -")
FELT = (
    ("Anna", "That is wonderful, thank you!", "positive", 0),
    ("Ben", "Where is the key?", "neutral", 0),
    ("Anna", "Oh no, this is terrible!", "negative", 1),
    ("Ben", "It's on the table.", "neutral", 1),
)
DIALOGUE = {
    "dialogue": "#Person1#: Hello there.\n#Person2#: Hello. How are you?\n#Person1#: Fine.\n"
    "#Person2#: The red bicycle has a flat tyre, can your brother repair the bicycle?\n"
    "#Person1#: My brother can repair the bicycle on Sunday.",
    "summary": "#Person1#'s brother can repair #Person2#'s red bicycle on Sunday.",
}


def make_labelled(folder: Path) -> Path:
    """Writes the files below the folder, and gives it back."""
    files = {
        "requests/parakweet-train.txt": "".join(f"{a}\t{b}\n" for a, b in ASKED * 3),
        "intents/clinc150-train-val.json": json.dumps({"train": QUERIES, "val": []}),
        "grading/dialogsum-dev.jsonl": json.dumps(DIALOGUE) + "\n",
        "grading/meld-dev.csv": "Utterance,Speaker,Sentiment,Dialogue_ID\n"
        + "".join(f'"{text}",{who},{label},{n}\n' for who, text, label, n in FELT),
    }
    for name in ("tweets", "amazonReviewSnippets", "movieReviewSnippets"):
        rows = (f"{i}\t{rating}\t{text}\n" for i, (rating, text) in enumerate(RATED))
        files[f"sentiment/{name}_GroundTruth.txt"] = "".join(rows)
    for day in ("2020-01-01", "2020-01-02"):
        files[f"chat/irc-dev/{day}.raw.txt"] = "\n".join(CHAT) + "\n"
        files[f"chat/irc-dev/{day}.annotation.txt"] = "\n".join(ANSWERS) + "\n"
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return folder
