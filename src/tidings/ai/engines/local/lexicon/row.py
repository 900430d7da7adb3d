"""The shape of a cue, and the short names that its pattern may use."""

import msgspec

# <be>, <adv> …: written so in patterns, and put in before they are compiled.
NAMED = {
    "<be>": r"(?:is|are|was|were|be|being|been)",
    "<adv>": (
        r"(?:(?:really|also|just|probably|definitely|certainly|still|always|maybe|perhaps|then|"
        r"now|actually|all|already|both|only|very|so|at least|simply|basically|kind of|sort of) )*"
    ),
    "<solid>": (
        r"(?!(?:be able to )?(?:see|say|know|go|start|thank|talk|ask|hear|come|welcome)\b)"
    ),
    "<bad>": (
        r"(?:expensive|complicated|complex|slow|difficult|hard|big|large|small|many|much|few|"
        r"little|late|long|heavy|high|low|old|manual|confusing|rigid|costly|noisy|tight|bulky|"
        r"fragile)"
    ),
}


class Row(msgspec.Struct, frozen=True):
    """One cue.

    `weight`: 3 states the kind outright, 2 is a strong sign, 1 only adds to another cue. `triggers`
    are words, separated by blanks, one of which must be there before the pattern is tried.
    `pattern` is searched, from the start of a word, in the plain words of a clause: lower case,
    contractions written out, fillers gone, one blank between.
    """

    weight: float
    triggers: str
    pattern: str
