"""The techniques of each framework, and the questions that the local engine asks with them."""

from collections.abc import Mapping, Sequence

TECHNIQUES: Mapping[str, Sequence[str]] = {
    "scamper": (
        "substitute",
        "combine",
        "adapt",
        "modify",
        "put_to_use",
        "eliminate",
        "reverse",
    ),
    "six_hats": ("white", "red", "black", "yellow", "green", "blue"),
    "free_form": ("plain",),
}

QUESTIONS: Mapping[str, Sequence[str]] = {
    "substitute": (
        "Which part, person or step in “{topic}” could something else stand in for?",
        "What if somebody quite different did it?",
        "Which rule could be replaced by another one?",
    ),
    "combine": (
        "What could “{topic}” be joined with, so that both get better?",
        "Whose goals could be served at the same time?",
        "Which two steps could become one?",
    ),
    "adapt": (
        "Who has solved something like “{topic}” already, and how?",
        "What from another trade could be copied here?",
        "What worked before and would work again if it were changed a little?",
    ),
    "modify": (
        "What about “{topic}” could be made much bigger, or much smaller?",
        "What could happen more often, or earlier?",
        "What would make it easier to notice?",
    ),
    "put_to_use": (
        "Who else could have a use for “{topic}”?",
        "What is left over that somebody could use?",
        "Where could the same thing serve another purpose?",
    ),
    "eliminate": (
        "What in “{topic}” would nobody miss?",
        "What would you drop with half the time?",
        "Which approval, form or meeting could go?",
    ),
    "reverse": (
        "What if “{topic}” were done the other way round?",
        "How would you make it fail for certain?",
        "What if the customer did it, and not we?",
    ),
    "white": (
        "What do we know for certain about “{topic}”, and from where?",
        "Which number do we lack most?",
        "How could we find out within a week?",
    ),
    "red": (
        "What do you feel first about “{topic}”?",
        "What would the people concerned be glad of, or afraid of?",
        "Which idea would you be proud of?",
    ),
    "black": (
        "What could go wrong with “{topic}”?",
        "Who will be against it, and are they right?",
        "What would it cost us if it fails?",
    ),
    "yellow": (
        "What is the best that could come of “{topic}”?",
        "Who gains most from it?",
        "What already speaks for it?",
    ),
    "green": (
        "What has nobody tried yet for “{topic}”?",
        "What would you do if money did not matter?",
        "What is the strangest idea that might just work?",
    ),
    "blue": (
        "What exactly has to be decided about “{topic}”, and by when?",
        "What is the next step, and whose is it?",
        "How will we know that it worked?",
    ),
    "plain": (
        "What is the smallest step towards “{topic}”?",
        "Who could help with “{topic}”, and has not been asked?",
        "What keeps us from it today?",
        "What would make it unnecessary?",
    ),
}
"""Three or four for each technique; some name the topic."""

LENSES: Mapping[str, tuple[str, str]] = {
    "people": (
        "user users customer customers team people staff colleague person",
        "Who is concerned by this, and what does it change for them?",
    ),
    "cost": (
        "cost costs price money budget cheap cheaper expensive pay euro dollar",
        "What does it cost, and who pays?",
    ),
    "time": (
        "time day days week weeks month month deadline fast faster soon schedule",
        "By when, and what comes first?",
    ),
    "risk": (
        "risk risks fail failure wrong security safe danger problem problems",
        "What could go wrong, and how would we notice?",
    ),
    "measure": (
        "measure measured number numbers metric metrics goal count percent rate",
        "How will we know that it worked?",
    ),
    "technology": (
        "software tool tools system data automatic automate app machine digital",
        "What could a tool do here, and what should it not?",
    ),
    "law": (
        "law legal contract contracts privacy compliance rule rules licence",
        "Which rule or contract stands in the way?",
    ),
    "others": (
        "partner partners supplier competitor competitors market public press",
        "What do others do about it, and who could do it with us?",
    ),
}
"""By perspective: words that show that it was taken, and the question to ask when it was not."""
