"""What people say when they tell how far things have come. Not a kind: only the overview asks."""

from tidings.ai.engines.local.lexicon.row import Row

_REACHED = (
    r"(?:live|done|finished|completed?|in place|up and running|on track|on schedule|switched off|"
    r"under way|underway|ready|fixed|tested|stable|solved|settled|closed|signed|open|delivered|"
    r"installed|in production|in use|rolled out)\b"
)

ROWS: tuple[Row, ...] = (
    Row(
        3,
        "since",
        r"(?:is|are|has|have|been) (?:[\w-]+ ){1,8}since (?:the |last |early |late )?"
        r"(?:\w+ of \w+|monday|tuesday|wednesday|thursday|friday|saturday|sunday|week|month|year|"
        r"january|february|march|april|may|june|july|august|september|october|november|december|"
        r"spring|summer|autumn|winter|christmas|easter|then)\b",
    ),
    Row(2, "now already finally", r"(?:is|are|has|have) (?:now|already|finally) \w+"),
    Row(2.5, "far of", r"so far\b|as of (?:today|now|this|last)\b"),
    Row(
        2,
        "live done finished complete completed place running track schedule switched under ready "
        "fixed tested stable solved settled closed signed open delivered installed production use "
        "rolled underway",
        rf"(?:is|are|been|went|gone) {_REACHED}",
    ),
    Row(
        2,
        "longer anymore more",
        r"no longer\b|(?:is|are|has|have|does|do) not (?:[\w'-]+ ){1,4}any ?more\b",
    ),
    Row(
        2,
        "from",
        r"(?:down|up|went|gone|fell|rose|improved|dropped|grew|came|moved) (?:\w+ ){0,4}from "
        r"(?:[\w-]+ ){1,8}to\b",
    ),
    Row(
        2,
        "have has",
        r"(?:we|they|it|stores|customers|team|teams|company|everyone) (?:have|has) <adv>"
        r"(?:finished|completed|delivered|reached|met|achieved|launched|moved|switched|tested|"
        r"fixed|signed|started|built|rolled|trained|replaced|reduced|cut|closed|opened)\b",
    ),
    Row(2, "currently still moment", r"(?:is|are) (?:currently|still)\b|at the moment\b"),
)
