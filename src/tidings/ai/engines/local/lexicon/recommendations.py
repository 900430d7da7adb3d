"""What people say when they propose something."""

from tidings.ai.engines.local.lexicon.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        3,
        "suggest recommend propose advise suggested recommended proposed urge implore",
        r"(?<!when )(?:i|we) (?:\w+ ){0,2}(?:suggest(?:ed)?|recommend(?:ed)?|"
        r"propose(?:d)?|advise|urge|implore)\b",
    ),
    Row(
        3,
        "suggestion recommendation proposal advice",
        r"(?:my|our|one|another|first|second|main|key) (?:[\w']+ )?(?:suggestion|recommendation|"
        r"proposal|advice) (?:(?:here|for|on|about) (?:\w+ ){1,4})?(?:is|was|would be|to)\b",
    ),
    Row(
        3,
        "should ought must need could",
        r"(?:i|we) (?:\w+ )?(?:think|thought|believe|feel|reckon) (?:that )?<adv>"
        r"(?:we|you|they|it|there|the (?:[\w-]+ ){1,3}?) ?<adv>"
        r"(?:should|ought to|must|need to|could)\b",
    ),
    Row(
        2.5,
        "should",
        r"(?<!when )(?<!what )(?<!how )(?<!whether )(?<!if )"
        r"(?:we|you|they|government|minister|company|everyone) <adv>should(?: not)? <adv>"
        r"(?!(?:have (?:come|been|done|gone|had|\w+ed)|be (?:fine|okay|ok|good|able)|"
        r"have (?:a|the) (?:look|chat)|know|see|say|talk|discuss|start|move on|go|thank|wait|hear|"
        r"ask|mention|probably|remember|all)\b)[a-z]{3,}",
    ),
    Row(
        2.5,
        "better good best idea useful helpful nice great wise sensible worth worthwhile cool "
        "interesting",
        r"(?:it|that|this|which|i think) (?:would|might|will|could) (?:\w+ )?(?:be|make sense) "
        r"(?:\w+ ){0,2}(?:better|good|best|useful|helpful|nice|great|wise|sensible|worth|"
        r"worthwhile|cool|interesting|idea) (?:idea )?(?:to|if|for us|that)\b"
        r"(?! (?:see|say|know|hear|you|i|me)\b)",
    ),
    Row(
        2.5,
        "rather prefer favour favor",
        r"(?:i|we) would (?:\w+ )?(?:prefer\b|"
        r"rather (?!than|be|know|not|find|hear|see|have known|say|tell))|i <adv>prefer\b|"
        r"(?:i|we) (?:am|are) in favou?r of \w+ing",
    ),
    Row(
        2,
        "should",
        r"(?<!what )(?<!when )(?<!how )(?:there|this|that|which|"
        r"(?:the|our|every|all|each) (?:[\w-]+ ){1,3}?)<adv> ?"
        r"should(?: not)? (?:\w+ )?(?:be|have|use|come|include|contain|look|cover|focus|work)\b"
        r"(?! (?:fine|okay|ok|good|the end)\b)",
    ),
    Row(
        2,
        "could can",
        r"(?:maybe|perhaps|i think) (?:we|you|they) (?:could|can) <adv>"
        r"(?!(?:see|say|go|start|move|talk|hear|discuss|ask|do (?:that|it|this)|have a look|just|"
        r"get|be|you|look at|all)\b)[a-z]{3,}",
    ),
    Row(
        2,
        "way option solution approach thing idea possibility",
        r"(?:best|better|easiest|simplest|right|possible|safest|sensible|cheapest|good|smart|nice) "
        r"(?:\w+ )?(?:way|option|solution|approach|thing|idea|possibility) (?:[\w']+ ){0,5}"
        r"(?:is|would be|might be|could be) (?:to|that we|if we|using|having)\b",
    ),
    Row(
        2,
        "let",
        r"let us (?!(?:see|say|go|start|talk|move|hear|have a look|look|get|be|just|assume|not|"
        r"take (?:a|it)|do (?:it|that|this)|continue|remember|know|imagine|suppose|discuss|think|"
        r"begin|wait|hope|turn|open|call|come|make (?:it|this) (?:quick|short))\b)[a-z]{3,}",
    ),
    Row(
        2,
        "might may consider considering",
        r"(?:we|you) (?:\w+ )?(?:might|may) (?:\w+ )?"
        r"(?:want to|wish to|need to|as well|consider|try|use)\b|"
        r"(?:should|could|worth|need to|have to) (?:\w+ )?consider(?:ing)? "
        r"(?!that\b|this\b|it\b|i\b|we\b|you\b)\w+",
    ),
    Row(
        2,
        "must needs",
        r"(?:government|minister|we|they|committee) (?:\w+ )?(?:must|needs to) "
        r"(?!(?:say|admit|be|have|thank|ask|go|remember|move|stop|know)\b)[a-z]{3,}",
    ),
    Row(
        2,
        "call calling calls",
        r"(?:i|we|petitioners|members|they|are) (?:\w+ )?call(?:ing|s)? (?:on|upon|for)\b",
    ),
    Row(2, "go", r"i would (?:\w+ )?go (?:for|with)\b|let us go (?:for|with)\b"),
)

# A "not" belongs to these and does not cancel them.
DENYING_ROWS: tuple[Row, ...] = (
    Row(
        2.5,
        "why about",
        r"why do not (?:we|you) (?!(?:start|go|begin|you)\b)[a-z]+|"
        r"(?:how|what) about (?:using|making|adding|having|putting|giving|doing|a|an|we)\b",
    ),
    Row(1, "instead rather", r"(?:we|you|let us) (?:\w+ ){0,6}(?:instead of|rather than)\b"),
)
