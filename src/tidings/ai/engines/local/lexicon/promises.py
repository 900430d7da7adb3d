"""What people write when something is settled, and when they take something on."""

from tidings.ai.engines.local.lexicon.row import Row

_US = r"(?:we|i|they|team|board|everyone|everybody|both|management)"

DECISIONS: tuple[Row, ...] = (
    Row(
        3,
        "decided agreed settled chose chosen concluded resolved",
        rf"(?<!not )(?<!what ){_US} "
        r"(?:(?:have|has|had|all|already|just|then|finally|also|both|now) ){0,3}"
        r"(?:decided|agreed|settled|chose|chosen|concluded|resolved)\b(?! with (?:you|that|me)\b)",
    ),
    Row(
        3,
        "decided agreed settled approved final signed",
        r"(?:it|that|this|budget|date|plan|price|scope|design|offer|contract|everything) "
        r"(?:is|has been|was) (?:now |all |finally )?(?:decided|agreed|settled|approved|final|"
        r"signed off)\b(?! if)",
    ),
    Row(
        3,
        "decision",
        r"^(?:final |our |the )?decision (?!to be|tree|pending|log|is pending|is not)"
        r"(?:is|was|has|on|made|for|to|\w+)\b|(?:made|took|taken|reached) (?:a|the|our) decision\b",
    ),
    Row(
        3,
        "agreed approved decided settled",
        r"^(?:ok |okay |all |so )?(?:agreed|approved|settled|"
        r"decided)\b(?! (?:with you|terms))",
    ),
    Row(
        2.5,
        "go going stick sticking keep choose choosing pick picking opt drop dropping use using "
        "proceed ship shipping postpone move",
        r"we (?:(?:will|are|have|shall) |are going to |will just )"
        r"(?:(?:now|then|all|therefore|also|instead) )?"
        r"(?:go(?:ing)? (?:with|for|ahead)|stick(?:ing)? (?:with|to)|"
        r"choos(?:e|ing)|pick(?:ing)?|opt(?:ing)? for|drop(?:ping)?|us(?:e|ing)|proceed(?:ing)?|"
        r"keep(?:ing)? the|ship(?:ping)?|postpon(?:e|ing)|mov(?:e|ing) (?:to|the|forward|ahead))\b",
    ),
    Row(2.5, "went chose", r"(?:we|i) (?:have )?(?:went with|went for|chose)\b"),
    Row(
        2.5,
        "let",
        r"^(?:\w+ ){0,3}let us (?:just |all |then |therefore )?(?:go (?:with|for|ahead)|stick|"
        r"keep|drop|say we|pick|choose|use|do (?:it|that|this|monday|tuesday|wednesday|thursday|"
        r"friday|the)|take the|make it|settle on|schedule|postpone|move (?:it|the)|meet (?:at|on)|"
        r"agree on|plan (?:on|for)|ship|proceed)\b",
    ),
    Row(2.5, "deal", r"^(?:it is a |ok |okay )?deal$"),
    Row(2.5, "approve approved", r"^i (?:hereby )?approved?\b"),
)

_DO = (
    r"(?:send|email|mail|forward|share|circulate|follow|look (?:into|at|it|for)|check|find|prepare|"
    r"write|draft|update|schedule|arrange|organi[sz]e|book|set|talk (?:to|with)|speak (?:to|with)|"
    r"ask|contact|call|ring|report|finish|work on|put|test|bring|provide|review|investigate|"
    r"confirm|get (?:back|it|that|this|the|you|them|a|on|in touch)|make (?:sure|a|the|it)|run|fix|"
    r"build|collect|document|compile|introduce|do (?:it|that|this|so|the|my)|take (?:care|it|that|"
    r"the|over|a look)|handle|deliver|reply|respond|let (?:you|them|him|her|everyone) know|"
    r"give (?:you|them|him|her|it)|upload|push|merge|deploy|ship|add|remove|change|sort|pay|order|"
    r"submit|sign|come back|try|help|meet you|pick (?:you|it|them|up)|drop (?:it|you|by)|be there|"
    r"join|attend|reach out|ping|remind|complete|create|resend|post|print|present|cover|tell "
    r"(?:him|her|them)|start|have (?:it|this|that|the)|own|drive|buy|return|refund|"
    r"escalate|open a)\b"
)

PROMISES: tuple[Row, ...] = (
    Row(
        3,
        "will shall going",
        r"(?:^|\b)(?:i|we) (?:will|shall|am going to|are going to|will be) "
        r"(?:(?:also|just|then|now|definitely|certainly|gladly|happily|both|personally|try to|make "
        r"sure to|be happy to|immediately|quickly) )*" + _DO,
    ),
    Row(
        2.5,
        "sending working fixing preparing",
        r"\bi am (?:sending|working on|fixing|preparing|"
        r"looking into|checking|on it)\b",
    ),
    Row(
        2.5,
        "let",
        r"^(?:\w+ ){0,2}let me (?:check|look|find|ask|see (?:if|what|whether)|get back|"
        r"send|fix|do|take care|handle|confirm|call|talk)\b",
    ),
    Row(2.5, "promise guarantee", r"\b(?:i|we) (?:promise|guarantee)\b(?! (?:nothing|not))"),
    Row(
        2.5,
        "it",
        r"^(?:i am |ok |okay |sure |yes |yep )*(?:on it|will do it)$|"
        r"\bleave it (?:to|with) me\b",
    ),
    Row(2.5, "will", r"^(?:ok |okay |sure |yes |yep |thanks )*will do\b"),
    Row(2.5, "consider", r"\bconsider it done\b"),
    Row(2.5, "have", r"\byou (?:will|shall) have (?:it|them|the|a|my|our)\b"),
    Row(
        2,
        "can",
        r"^(?:\w+ )?i can (?:send|do (?:it|that|this)|take (?:care|it|that)|handle|"
        r"prepare|fix|draft|write|look into|have it)\b",
    ),
    Row(2, "commit committed", r"\b(?:i|we) (?:commit|am committed|are committed) to\b"),
)
