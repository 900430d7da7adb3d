"""Which language a message is in: by its script, else by the words that it uses most.

Made for conditions of rules: it says None rather than guess.
"""

import re

_SAMPLE = 2000  # characters that are looked at
_LEAST_WORDS = 2
"""Words of a language that must be there; a single one may be a name."""

_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("uk", re.compile("[\u0404\u0406\u0407\u0454\u0456\u0457\u0490\u0491]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
)
_WORDS = {
    "en": "the of and to is it you that was for are with this have from or had by but what we can "
    "your which their will would been who its not my please thanks thank hello hi do does could i "
    "me am need when where how there our an any know let no",
    "de": "der die das und ist nicht ich sie wir ein eine einen mit von zu für auf dem den des im "
    "es auch sind haben habe wird werden bitte danke hallo noch kann können uns ihr ihre wie wann "
    "oder aber über bei nach guten tag mir mich",
    "fr": "le la les un une des et est pas je nous vous que qui dans pour sur avec ce cette il "
    "elle sont avez avons merci bonjour mais ou où du au aux plus votre notre être très bien mon "
    "ma mes quand comment",
    "es": "el los las un una unos y es no yo usted que en por para con su sus se lo como más pero "
    "está están tiene gracias hola cuando donde muy mi me nos del al este esta quiero necesito "
    "puede buenos días",
    "it": "il gli un una uno e è non io lei che di per con su sono si come più ma questo questa "
    "grazie ciao quando dove molto mio mia della del nel alla ho abbiamo vorrei buongiorno posso",
    "pt": "o os as um uma e é não eu você que em por para com seu sua se como mais mas está estão "
    "obrigado obrigada olá quando onde muito meu minha do da dos das ao no na preciso bom dia pode",
    "nl": "de het een en is niet ik wij jij u dat van voor op met zijn hebben heb wordt worden "
    "alstublieft bedankt hallo nog kan kunnen ons hoe wanneer waar maar of ook aan bij naar mijn "
    "graag goedemorgen",
    "sv": "och att det som en ett är inte jag vi ni den på för med av har till om kan tack hej när "
    "var men eller också från mitt min era skulle ska",
    "nb": "og å det som en et er ikke jeg vi dere den på for med av har til om kan takk hei når "
    "hvor men eller også fra mitt min deres skulle skal hva",
    "pl": "i w nie na to się jest z do że jak czy dla po za od dziękuję proszę dzień dobry kiedy "
    "gdzie ale lub mój moja są mam będzie chciałbym",
}
_KNOWN = {code: frozenset(words.split()) for code, words in _WORDS.items()}


def language_of(text: str) -> str | None:
    """The code of the language (ISO 639-1), or None when it cannot be told."""
    sample = text[:_SAMPLE].casefold()
    letters = sum(character.isalpha() for character in sample)
    for code, script in _SCRIPTS:
        if len(script.findall(sample)) * (20 if code in ("ja", "uk") else 3) > letters > 0:
            return code
    words = re.findall(r"[^\W\d_]+", sample)
    counts = {code: sum(word in known for word in words) for code, known in _KNOWN.items()}
    (second, _), (best, code) = sorted((count, code) for code, count in counts.items())[-2:]
    if best < _LEAST_WORDS or best == second:
        return None
    return code
