"""What people say when something has been settled."""

from tidings.ai.engines.local.lexicon.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        3,
        "decided agreed settled chosen chose concluded approved resolved",
        r"(?:we|team|group|board|committee|government|company|everyone) "
        r"(?:(?:have|had|all|already|just|then|finally|also|has|both) ){0,2}"
        r"(?:decided|agreed|settled|chosen|chose|concluded|approved|resolved)\b"
        r"(?! (?:with (?:you|that|me)|fully)\b)|"
        r"(?:it|that|this) is (?:now |all )?(?:decided|agreed|settled|approved)\b|"
        r"(?:is|are|was|were|been) (?:now )?(?:decided|agreed|settled|approved|resolved) "
        r"(?:that|to|by|on|in|for)\b|"
        r"i have (?:now )?decided\b|"
        r"(?:price|matter|date|plan|contract|scope|budget|offer|design) is (?:now |all )?"
        r"(?:settled|agreed|decided|approved|closed)\b",
    ),
    Row(
        3,
        "decision decisions",
        r"(?:the|our|a|final|my|this|that|big|important) (?:\w+ )?decisions? "
        r"(?:(?:we|that|about|on|for|of) (?:[\w-]+ ){1,4})?(?:is|was|has been|to)\b|"
        r"(?:we|i|they|government) (?:have )?(?:made|took|taken) (?:the|a|that) (?:\w+ )?decision",
    ),
    Row(
        2.5,
        "go going stick sticking keep keeping choose take opt opting drop dropping use using get",
        r"(?<!that )(?<!what )(?<!if )(?<!which )(?<!when )we (?:\w+ )?"
        r"(?:will|are going to|are) <adv>(?:go(?:ing)? (?:with|for|ahead with)|"
        r"stick(?:ing)? (?:with|to)|keep(?:ing)? (?!in mind|an? |going|it in|that in|on|talking)|"
        r"choos(?:e|ing)|opt(?:ing)? for|drop(?:ping)?|not (?:use|have|do|include)|get rid of|"
        r"us(?:e|ing))\b ?\w*",
    ),
    Row(
        2.5,
        "went ended gone",
        r"(?:we|i) (?:\w+ ){0,2}(?:went with|went for|ended up (?:with|using|choosing)|"
        r"gone (?:for|with))\b",
    ),
    Row(
        2.5,
        "not",
        r"we (?:are|will) not (?:going to )?(?:have|use|using|include|including|do|doing|put|offer|"
        r"go|need)\b",
    ),
    Row(
        2,
        "let",
        r"let us (?:go (?:with|for)|stick (?:with|to)|say we|keep|drop|forget about|skip|take the|"
        r"leave (?:it|that|the))\b",
    ),
    Row(
        2,
        "decide decides",
        # who decides, from now on
        r"i decide (?:on|about|over|the|alone)\b|"
        r"(?!(?:who|whoever|which|that|what|it|one|somebody|someone)\b)[a-z]+ decides "
        r"(?:on|about|over|the|alone)\b",
    ),
    Row(2, "off", r"(?:is|are) (?:now )?off (?:the table|then|and|now)\b|call(?:ed|ing) off\b"),
    Row(2, "ahead", r"we (?:will )?(?:go|are going) ahead with\b"),
    Row(
        2,
        "finalised finalized confirmed official fixed final",
        r"(?:is|are|was|that|final|been|have) (?:\w+ )?"
        r"(?:finali[sz]ed|confirmed|official|fixed|final)\b",
    ),
    Row(
        2,
        "announced introduced launched",
        r"(?:we|government|i) (?:\w+ ){0,3}(?:announced|introduced|launched)\b",
    ),
    Row(
        1.5,
        "will going",
        r"(?:it|remote|product|device|system) (?:will|is going to) (?:\w+ )?"
        r"(?:have|be made|use|include)\b",
    ),
)
