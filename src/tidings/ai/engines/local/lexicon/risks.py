"""What people say when something may go wrong."""

from tidings.ai.engines.local.lexicon.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        3,
        "risk risks",
        r"(?:the|a|big|biggest|real|main|high|higher|greater|significant|some|any|other|is|at|more|"
        r"potential|another|serious|these|that) (?:[\w-]+ )?risks?\b"
        r"(?! (?:assessment|appetite|management|register|team|review)\b)",
    ),
    Row(
        3,
        "worry fear concern worries fears concerns",
        r"(?:my|our|the|their|biggest|main|only|real|one|big|key|a) (?:[\w-]+ ){0,2}"
        r"(?:worry|fear|concern|worries|fears|concerns) (?:[\w'-]+ ){0,6}"
        r"(?:is|was|are|would be|about|that|with)\b",
    ),
    Row(2.5, "risky risking", r"risk(?:y|ing)\b"),
    Row(
        2.5,
        "worried concerned afraid nervous anxious scared worry fear",
        r"(?:am|are|is|was|were|been|be|get|bit|very|really|little) (?:\w+ ){0,2}"
        r"(?:worried|concerned|afraid|nervous|anxious|scared) "
        r"(?:that|about|of|we|the|if|it|because|by)\b(?! (?:not|about it)\b)|"
        r"(?:i|we|they) (?:\w+ )?(?:worry|fear) (?:that|about|the|we|it|if)\b",
    ),
    Row(
        2.5,
        "danger dangerous threat threatens threaten threatened jeopardy jeopardise jeopardize "
        "peril",
        r"(?:the|a|in|real|is) danger\b|dangerous|threat(?:s|ens|en|ened)?\b|jeopard|peril\b",
    ),
    Row(
        2.5,
        "if",
        r"if (?:we|they|you|it|the \w+|this|that|nothing|nobody) (?:\w+ )?(?:do not|does not|miss|"
        r"misses|lose|loses|slips?|fails?|can not|breaks?|goes wrong|stays?|delay|is not|are not|"
        r"is late|gets? delayed)\b .{3,80}\b(?:will|would|could|might|lose|is|are|cost|costs|miss|"
        r"pay|have to|going)\b",
    ),
    Row(
        2.5,
        "otherwise",
        r"otherwise (?:\w+ )?(?:we|it|they|you|people|the|there|customers)\b",
    ),
    Row(
        2.5, "awake night stake", r"keeps? (?:me|us|him|her|them) (?:awake|up at night)|at stake\b"
    ),
    Row(2.5, "breaker dealbreaker deal-breaker", r"deal ?-?breaker"),
    Row(
        2,
        "might may could",
        r"(?:might|may|could) (?:\w+ )?(?:be|get|become|seem|look|prove|feel|turn out) "
        r"(?:\w+ ){0,2}(?:too \w+|a (?:\w+ )?(?:problem|risk|issue|challenge|disaster|bottleneck)|"
        r"problematic|difficult|hard|tricky|expensive|confus(?:ing|ed)|complicated|dangerous|lost|"
        r"broken|damaged|late|delayed|misus\w+|harmful|unstable|annoying|overwhelmed|worse|"
        r"affected|disappointed|stuck|costly)\b",
    ),
    Row(
        2,
        "might may could",
        r"(?:might|may|could) (?:\w+ )?(?:not (?:be able|have|get|work|want|like|sell|fit|make|"
        r"meet|see|reach|buy)|lose|fail|break|cause|increase the (?:price|cost)|raise the|damage|"
        r"hurt|slip|undermine|affect|miss|run out|drive|collapse|go wrong|end up|leave|fall|cancel|"
        r"delay|confuse|cost (?:us|more|too))\b",
    ),
    Row(
        1.5,
        "uncertain uncertainty uncertainties unpredictable volatile unsustainable",
        r"uncertain(?:ty|ties)?\b|unpredictable|volatile|unsustainable",
    ),
    Row(
        2,
        "end",
        r"(?:will|would|might|could|going to|may) end up (?:with|in|having|losing|paying|being)\b",
    ),
    Row(
        2,
        "liability exposure exposed vulnerable unintended fraud breach penalty penalties unsafe "
        "abuse",
        r"liabilit|exposed to|exposure|vulnerable to|unintended consequences?|fraud\b|breach|"
        r"penalt(?:y|ies)|unsafe|abuse\b",
    ),
    Row(
        2,
        "afford lose",
        r"(?:we|they) can not afford (?:to|a|an|another|the)\b|"
        r"(?:could|would|will|might) (?:\w+ )?lose (?:\w+ ){1,3}",
    ),
    Row(
        2,
        "run running fall falling",
        r"(?:will|could|might|would|going to|be|may) "
        r"(?:run(?:ning)? out of|fall(?:ing)? behind)\b",
    ),
    Row(
        2,
        "not",
        r"(?:people|customers|users|they|children|companies|families|stores?|nobody) (?:\w+ )?"
        r"(?:will not|would not|are not going to|is not going to) (?:\w+ )?"
        r"(?:buy|like|want|use|pay|accept|come|understand|trust|get|sell)\b",
    ),
    Row(
        1.5,
        "expensive cost",
        r"(?:will|would|is going to|makes? it|be|get|gets) (?:\w+ )?"
        r"(?:more|too|much more|very|quite|really) expensive|"
        r"(?:will|would|going to) (?:\w+ )?cost (?:\w+ )?(?:more|too|a lot)\b",
    ),
    Row(
        1.5,
        "chance possibility likely likelihood",
        r"(?:there is|a|good|the|real) (?:\w+ )?(?:chance|possibility|likelihood) "
        r"(?:that|of|it|we)\b|"
        r"(?:is|are|very|more) likely to (?:\w+ )?(?:fail|break|lose|leave|miss|slip|be)\b",
    ),
    Row(
        1.5,
        "would will",
        r"(?:would|will) (?:\w+ )?(?:be|become|get) (?:\w+ )?(?:too \w+|a (?:\w+ )?(?:problem|"
        r"disaster|catastrophe|shame|mistake|concern)|problematic|impossible|very difficult|"
        r"devastating|catastrophic)\b",
    ),
    Row(
        1.5,
        "would will",
        r"(?:would|will) (?:\w+ )?(?:increase|raise|drive up|push up|add to) (?:the |our |your )?"
        r"(?:\w+ )?(?:price|cost|costs|complexity|risk)\b",
    ),
)
