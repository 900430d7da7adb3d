"""Whether a text is English: by its most frequent function words, and its neighbours' own."""

from collections.abc import Iterable

from tidings.ai.engines.local.words import word_set

_ENGLISH = word_set("""
the of and to a in is it you that he was for on are with as i his they be at one have this from
or had by but what some we can out other were all there when up your how said an each she which
do their if will so would like into has him two more no my than been who its not now did about
just because think know yeah them then our could should where why okay well
""")
# Frequent words of its neighbours that it has not; without accents, as tokens come.
_OTHERS = word_set("""
der das und ist nicht ich sie wir ein eine einen mit von zu auf dem auch sind haben wird werden
bitte danke dank vielen noch kann uns ihr ihre wann oder aber bei nach sehr guten mehr schon wenn
mir mich unsere heute morgen rechnung die kommt kein keine habe hat wie warum dass gibt ihnen meine
le les une des et est pas je nous vous que qui dans avec cette sont avez avons merci bonjour mais
du au aux votre notre mes quand comment suis tout beaucoup bien elle leur
el los las una unos yo usted en por para con su sus lo como pero tiene gracias muchas hola cuando
donde muy nos del este esta quiero necesito puede todo nada buenos dias pedido gusta
il gli lei che di sono questo questa grazie dove molto mio mia della nel alla ho abbiamo vorrei
buongiorno posso ancora perche tutto
os um uma eu em com seu sua mas obrigado obrigada quando onde muito meu minha dos das ao preciso
dia pode ainda
de het een van voor zijn hebben wordt alstublieft bedankt nog kunnen ons hoe wanneer waar maar
ook aan naar mijn graag ik niet kan
och att det ett inte jag av till tack hej eller min mitt ikke og jeg dere hvor takk hei fra
nie sie jest czy dla dzien dobry kiedy gdzie prosze dziekuje mam
""")
SAMPLE = 4000  # words that are looked at
SUREST = 25  # below this many words nothing can be told, and the caller's word is taken
_SEVERAL = 2  # words of another language; a single one may be a name
_LEAST = 0.2  # English speech has 0.4 to 0.55; Welsh, German, French or Spanish below 0.12


def is_supported(language: str) -> bool:
    """Whether the engine reads this language (a BCP 47 tag or a name)."""
    return language.strip().lower().replace("_", "-").split("-")[0] in ("en", "eng", "english")


def looks_english(words: Iterable[str]) -> bool:
    """Whether a run of lower-case words can be English; few words are given the benefit."""
    seen = known = 0
    for word in words:
        seen += 1
        known += word in _ENGLISH
        if seen == SAMPLE:
            break
    return seen < SUREST or known / seen >= _LEAST


def is_foreign(tokens: list[str]) -> bool:
    """Whether the tokens of a message are of another language: more of its words than of ours.

    A letter beyond ASCII is a token of its own, and counts as a word that English has not.
    """
    letters = {one for one in tokens if not one.isascii() and one.isalpha()}
    others = len(_OTHERS.intersection(tokens)) + len(letters)
    return others >= _SEVERAL and others > len(_ENGLISH.intersection(tokens))
