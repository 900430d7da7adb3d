"""What is never a finding, whatever its cues: questions, courtesies, running the meeting, jokes."""

import re

from tidings.ai.engines.local.words import word_set

_SUBJECT = r"(?:i|you|we|they|he|she|it|there|that|this|the|our|your|my|their)"
_ASKS = r"(?:do|does|did|is|are|was|were|can|could|will|would|should|have|has)"
_QUESTION = re.compile(
    r"(?:and |but |so |then |or |well )?(?:"
    rf"(?:{_ASKS}|shall|may|might|had|am) (?:not )?(?:{_SUBJECT}|those|these|people|any\w+)\b|"
    rf"(?:what|why|how|who|whose|when|where|which)(?: \w+){{0,3}} {_ASKS}(?: not)? {_SUBJECT}\b|"
    r"can i |may i |i wonder|i (?:was|am) (?:just )?wondering|what about|how about)"
)
# "If you do not have the data, how can you be sure"
_ASKED_AT_LAST = re.compile(
    rf"(?:if|when|because|since|given) .{{1,200}} (?:how|why|what|where|who) {_ASKS} {_SUBJECT}\b"
)

# Each line is one thing that people say to run a meeting, or to be polite.
_RUNNING = (
    r"next slide|power ?point|my slides?|your slides?|(?:the|this|that) slide|lapel",
    r"can (?:you|everyone|everybody) (?:all )?hear|hear me|(?:did|do) not hear",
    r"share (?:my|the|your) screen|on mute|mute|unmute|plug",
    r"the floor|floor is|point of order|declarations? of interest|apologies|standing order",
    r"(?:start|close|end|end of|finish|finished) (?:the |this |our )?meeting|adjourn\w*",
    r"this session|agenda|minutes (?:of|from|left|to go)",
    r"(?:have|got|only|about|another|few|five|ten|couple of|forty|fifteen|twenty) minutes",
    r"(?:move|moving|carry) on(?: to)?|go on(?! (?:the|a|with|\w+day))",
    r"go ahead(?! with)|hold on|over to you",
    r"your turn|my turn|start with you",
    r"come back to (?:that|this|it|you)|get back to (?:that|this)",
    r"(?:my|one|a|last|next|first|final|ask|these|that) (?:last |final |quick |other )?questions?",
    r"just to be clear|come back to the",
    r"any (?:other )?(?:questions|comments)|oral question|unanimous consent",
    r"welcome (?:to|back|everyone|our)|pleased to welcome|nice to (?:meet|see)",
    r"good (?:morning|afternoon|evening)|hello|thank you|thanks|cheers|bye|see you|good luck",
    r"happy birthday|my (?:name|role) is|introduce (?:myself|ourselves)",
    r"(?:my|the|this) (?:right )?(?:hon|honourable) \w+|member for",
    r"(?:mr|madam) (?:speaker|chair)|(?:have )?a note on|note (?:all|them)",
    r"microphones? (?:on|off|is|closer)|recording (?:now|this)|we are (?:being )?record(?:ed|ing)",
    r"read (?:the|out|through)|read (?:it|this|them) (?:out|aloud)",
    r"draw(?:ing)? (?:a|my|your|an)|favourite animal",
    r"(?:i am|i will) (?:just )?going to (?:say|ask|talk|start|read|quote|show|present|go)",
    r"i (?:would|will) (?:just )?(?:like to )?(?:ask|start|turn|thank|quote)",
    r"i (?:do not|did not) (?:know|remember|understand) (?:what|why|how|if|whether|where)",
    r"supposed to (?:do|say|talk)|what i (?:mean|meant|said)|say (?:something|anything)",
)
_RUNS = re.compile(rf"\b(?:{'|'.join(_RUNNING)})\b")

_SUPPOSED = re.compile(
    r"\b(?:let us say|imagine|suppose (?:that|you|we|i)|say (?:you|i|we) (?:have|want|are)|as if|"
    r"for example if|if i were|if i was|hypothetical\w*|in theory|like if|pretend|what if|"
    r"would have (?:been|had|to have)|i wish|once upon)\b"
)
_JEST = re.compile(
    r"\b(?:jok(?:e|ing)|kidding|funny|laugh(?:s|ing)?|hilarious|god|hell|damn|shit|crap|silly|"
    r"beer|drunk|sexy)\b"
)
# Often an aside, sometimes the matter itself.
_ASIDE = re.compile(
    r"\b(?:lunch|coffee|tea|pizza|movie|film|football|weather|laptop|projector|cable|whiteboard|"
    r"folder|password|log ?in|spell|interpretation)\b"
)
_DENIAL = re.compile(
    r"\bas far as\b|\b(?:not|never) (?:\w+ )?(?:aware|sure|think|believe|see|convinced|saying|"
    r"suggesting|say|mean|feel|want)\b"
)
_NEGATION = word_set("not no never nobody nothing without hardly none neither nor")


def is_question(words: str, end_mark: str) -> bool:
    """Whether a clause asks; `words` are its plain words joined by blanks."""
    return (
        end_mark == "?"
        or _QUESTION.match(words) is not None
        or _ASKED_AT_LAST.match(words) is not None
    )


def runs_meeting(words: str) -> bool:
    """Whether it is about running the meeting, or a courtesy."""
    return _RUNS.search(words) is not None


def doubt(words: str) -> float:
    """A factor from 0 to 1 that lowers what is supposed, said in jest or an aside."""
    factor = 1.0
    if _SUPPOSED.search(words) is not None:
        factor *= 0.35
    if _JEST.search(words) is not None:
        factor *= 0.3
    if _ASIDE.search(words) is not None:
        factor *= 0.5
    return factor


def negated(words: str) -> bool:
    """Whether a "not", "no" or the like is among the words."""
    return not _NEGATION.isdisjoint(words.split())


def denied(words: str) -> bool:
    """Whether the words deny what follows them, however far ("I do not think that …")."""
    return _DENIAL.search(words) is not None
