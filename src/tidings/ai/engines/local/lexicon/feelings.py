"""How words feel in talk, from −3 to 3, and what turns or strengthens them. Written for Tidings."""

from tidings.ai.engines.local.words import word_set

_GRADES: dict[float, str] = {
    3: """
    love loved adore adored amazing awesome fantastic wonderful excellent brilliant superb perfect
    perfectly thrilled ecstatic delighted overjoyed incredible marvelous marvellous magnificent
    outstanding phenomenal terrific fabulous splendid stunning gorgeous hooray hurray yay woohoo
    woo-hoo yippee congratulations congrats bravo hilarious masterpiece flawless stellar exquisite
    best blessed miracle superbly wonderfully brilliantly beautifully adorable yess yesss yaay
    """,
    2: """
    great happy glad beautiful lovely enjoy enjoyed enjoying enjoyable enjoys loves loving fun
    excited exciting excitement exited proud pleased pleasure joy joyful delightful delight cool
    nice sweet sweetheart sweetie cute charming impressive impressed impress grateful thankful
    thanks thank thankyou thx appreciate appreciated appreciates appreciation awesomely win won
    winner winning wins victory celebrate celebrated celebrating celebration success successful
    successfully triumph kiss kisses kissed hug hugs hugged laugh laughed laughing laughs lol
    haha hahaha ha-ha hehe lmao rofl heh smile smiled smiling smiles wow whoa yeah! super
    genius hero heroic angel darling honey pretty handsome sexy hot! funny funniest happier
    happiest happiness happily luckily lucky luck blessing bliss cheer cheers cheerful cherish
    compassion compelling elegant elegance entertaining entertained fascinating favorite favourite
    favorites friendly generous gentle gift good! graceful gracious heaven heavenly helpful
    hopeful inspiring inspired inspiration intelligent joyous kind! kindness kindly masterful
    merry paradise passion passionate peaceful playful pleasant pleasing praise praised precious
    radiant recommend recommended refreshing relieved relief remarkable rewarding romantic
    satisfied satisfying sensational sincere smart smooth smoothly spectacular splendidly
    superior sympathetic talented tender terrifically thoughtful thrilling treasure treat
    triumphant uplifting warmth welcome wisdom witty wonder worthwhile yummy delicious tasty
    tastes crisp durable reliable sturdy vivid affordable intuitive breeze nicely greatly
    congratulate engaged married wedding! pregnant! promotion promoted baby! dream dreams
    touched touching moved! fab rocks rocked kudos hurrah woot yum aww! awww! phew thankfully
    """,
    1: """
    good better fine well! okay! easy easier easily enough! fresh clean clear! bright calm safe
    safer free! fast quick quickly improve improved improvement improves useful works worked!
    help! helped helping helps hope hoping hopes interesting interested interest agree agreed
    agrees agreement right! sure! definitely absolutely exactly certainly totally! true!
    ready able accept accepted admire admired advantage affection alive appealing applause
    attractive award awards benefit benefits bold brave capable care caring cares celebrity
    challenge! clever comfort comfortable confident confidence congenial convenient convince
    courage creative decent deserve deserved desire devoted eager earnest ease effective
    efficient encourage encouraged encouraging energetic energy enthusiastic exclusive fair
    fairly! faith faithful fan fans fascinate fit! fond forgive forgiven freedom friend friends
    friendship fulfill gain gained genuine genuinely giggle glorious glory gold golden grace
    grand growth guarantee handy harmless harmony healthy honest honestly! honor honored
    honour humor humour ideal imagination impress! innocent inspire integrity invite! invited
    keen lively love-ly loyal luxury magic magical mature meaningful mercy modest neat noble
    original outgoing patient peace play! polite popular potent powerful privilege
    productive profit prosper protect! proper! reassure rejoice relax relaxed relaxing respect
    respected rest! rich richly robust romance satisfy save saved secure security! share! sharp
    shine solid solution solved solves sparkle special steady strength strong stronger stylish
    support! supported supportive supports surprised! talent thrive top! trust trusted useful
    valuable value! vibrant warm wealth willing wise worth worthy yes! please! gift yep! deal!
    fixed flexible compact responsive bonus upgrade upgraded plus! pros
    """,
    -1: """
    bit! slow slower slowly late later! lost lose losing loses miss missed missing misses boring
    bored bore dull tired tiring tedious odd strange weird unclear unsure confused confusing
    confuse confusion concern concerned concerns! doubt doubts doubtful unfortunately unlikely
    wait! waiting! stuck stop stopped! problem problems issue issues trouble troubles! hard!
    difficult difficulty expensive costly cheap! loud noisy heavy! short! weak weaker weakness
    lack lacks lacking fail! avoid avoided blame blamed block! break! broke broken breaks crash
    crashed crashes error errors flaw flawed flaws bug! bugs! fault faulty forget forgot
    forgotten forced force! gone guilty guilt hide hiding ignore! ignored ignoring illegal
    impossible incorrect inferior insane! interrupt invalid jealous jealousy lame lazy leave!
    lonely lonesome long! mess! messy mistake mistakes nervous neither! nonsense
    no! nope! nah nobody! obsessed oops overly overpriced pay! pity pointless poor poorly
    pressure pretend pretentious question! refuse refused reject rejected reluctant risk risky
    rude sadly scare! seriously! serious! shallow shock shocked sick! silly skeptical skip!
    sloppy sorry sour stall! strain stress stressed stressful strict stubborn struggle
    struggling stumble suspicious suspect! tense tension thin threat threaten threatening
    tough trap tricky trick ugh! unable uncertain uncomfortable uneasy uneven unexpected!
    unfair unhappy! unpleasant upset! useless! vague vulnerable warn warning warned waste!
    wrong! yell yelling yelled apologize apologise apologies apology bothered bother bothers
    bothering careful! caught cold! complain complained complaining complaint complaints
    damn! darn death! delay delayed delays deny denied depressed! dirty disagree dismiss
    distract drag! dumped embarrassed embarrassing excuse! exhausted fight fighting fights
    fought fire! fired freak freaked freaking frozen froze frustrate gross! hell! hit! homeless
    hungry hurts! hmph huh! lied lies! limited limp mad! malfunction mock naive nasty! needy
    nuts! old! oh! overwhelmed panic! pathetic! peculiar quit quits! regret regrets resent
    rip! rubbish! rush! shame! shut! shy sigh sinking slap snap sore steal stealing stole stolen
    stink stinks! strange! stolen sucker! suffer! tear! thief tragic! twisted unnecessary
    unusual vain weep whatever! whine whining wimp worried worry! worries worrying wrinkle
    dead! died! dying! die! kill! killed! cons predictable clumsy bland stale mediocre
    """,
    -2: """
    bad sad mad angry anger annoyed annoying annoys annoy awful! terribly dreadful dumb stupid
    stupidity idiot idiots idiotic moron fool foolish ridiculous absurd crap crappy damn damned
    dammit damnit goddamn hell! bloody! suck sucks sucked sucker sucky stinks ugly unhappy upset
    upsetting hurt hurts hurting painful pain pains ache aching cry crying cried cries tears
    scared scary scare scares afraid fear fears fearful frightened frightening terrified! panic
    panicked anxious anxiety worst! worse wrong fail failed failing fails failure failures
    disappoint disappointed disappointing disappointment disappoints frustrated frustrating
    frustration useless worthless waste wasted wasting poorly! pathetic lousy mess messed
    miserable misery depressed depressing depression gloomy grief grieve hate! hatred! gross
    disgusted! sick sickening rotten nasty nightmare trouble terror threat! trapped ruin ruined
    ruins ruining wreck wrecked disaster! destroy! destroyed! dead death die died dies dying kill
    killed killing kills killer murder murdered lie lied liar lying! cheat cheated cheating
    cheater betray betrayed betrayal bastard bitch! jerk ass asshole! loser losers creep creepy
    weirdo shut-up shame ashamed shameful humiliated humiliating embarrass divorce divorced
    dump! dumped sucks! bullshit! crazy! insane unfair unbearable unacceptable inexcusable cruel
    abuse abused abusive attack attacked awkward bitter bomb! bogus blah chaos clueless
    contempt crime criminal crisis cursed curse danger dangerous deadly! defeat defeated
    defective desperate desperately devil dirt! disturb disturbed disturbing doom doomed
    drunk! evil! fake fatal! filthy flop fraud furious! garbage greedy grim hopeless hostile
    hysterical idiocy ignorant incompetent inept insult insulted insulting junk lame! lifeless
    mindless outrage! painfully phony rage! rant reek rubbish scam scream screamed screaming
    screw screwed selfish! shitty! sorrow spoil spoiled suffer suffered suffering suffers sucky
    tedious! terrifying tiresome torture! tragedy tragic trash unhappily unwatchable vicious
    victim violent violence vomit whack wicked! worried worry worrying wound wounded wtf ugh
    argh aargh eww ew yuck yikes bah boo! grr unreliable unusable unresponsive defect ripoff
    heartbroken heartbreaking insufferable incoherent unfunny laughable overrated
    """,
    -3: """
    hate hated hates hating hatred terrible horrible horrific horrid horrendous awful disgusting
    disgust disgusted disgrace disgraceful despise loathe loathed atrocious abysmal appalling
    furious outraged outrageous! outrage enraged livid devastated devastating disaster
    disastrous catastrophe catastrophic worst evil vile repulsive revolting abominable
    asshole bitch bullshit shit shitty fuck fucked fucking fucker terrified horrified agony
    torture tortured unbearable! heartless wretched putrid
    """,
}

# Faces and signs, as texts are cut into them: lower case, one sign each.
_SIGNS: dict[float, str] = {
    3: "😍 🥰 ❤ 💖 🎉 🥳 🤩 💕",
    2: ":) :-) :d :-d =) =d <3 😂 🤣 😊 😀 😃 😄 😁 😆 🙂 😎 🙏 👍 👏 💪 😘 🎊 ✨ 🙌 ☺ 😇 🤗 💯 🏆",
    1: ";) ;-) ;d 😉 😅 👌 ✅ 🚀 🔥 😋",
    -1: ":/ :-/ :\\ :| 😐 😕 🙁 😬 🙄 😒 😳 ⚠ 😓 😑",
    -2: ":( :-( =( :'( 😞 😔 😟 😢 😭 😠 😩 😫 😤 😨 😰 😱 👎 💔 😥 😖 😣 🤦",
    -3: "😡 🤬 🤮",
}

# Marked "!" above: what it feels like depends on its neighbours; it counts for half.
HALF = 0.5


def _grades() -> dict[str, float]:
    found: dict[str, float] = {}
    for grade, text in _GRADES.items():
        for word in text.split():
            plain = word.removesuffix("!")
            value = grade * HALF if word.endswith("!") else float(grade)
            if abs(value) >= abs(found.get(plain, 0.0)):
                found[plain] = value
    found.update((sign, grade) for grade, text in _SIGNS.items() for sign in text.split())
    return found


GRADES = _grades()

NEGATIONS = word_set("""
not no never none nobody nothing neither nor without hardly barely scarcely cannot cant can't dont
don't doesn't doesnt didn't didnt isn't isnt wasn't wasnt aren't arent weren't won't wont wouldn't
wouldnt couldn't couldnt shouldn't shouldnt haven't havent hasn't hadn't ain't aint don t n't
""")

STRONGER = word_set("""
very really so too extremely incredibly absolutely totally completely utterly truly deeply highly
such super awfully terribly seriously damn bloody freaking fucking quite remarkably particularly
especially enormously hugely insanely ridiculously unbelievably
""")

WEAKER = word_set("""
bit little slightly somewhat kinda sorta fairly mildly partly almost less barely marginally
""")
