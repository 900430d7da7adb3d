"""Word lists of spoken English, as data. Everything is lower case, contractions written out."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text that are separated by white space."""
    return frozenset(text.split())


FILLERS = word_set("""
um uh er erm hmm hm mm mmm mhm mm-hmm uh-huh huh ah oh eh ooh aha ay ehm umm uhm tch
""")

# Openers that carry nothing and may be left out of a quote by starting it later.
OPENERS = word_set("""
and but so well okay ok yeah yes yep right now alright anyway anyways like then also actually
basically kay sure plus though however therefore obviously first firstly secondly finally
""")

# What a quote should not end on: the speaker was going on.
DANGLING = word_set("""
and but or so because the a an to of in on at for with by from as if that which who whose when
where is are was were be been am my your our their its his her i we you they he she it very
really just not do does did have has had can could will would shall should may might must um uh
like than about into onto between some any this these those what how why while then also going
want need
""")

PRONOUNS = word_set("""
i you he she it we they me him her us them this that these those who what which one someone
somebody anyone anybody everyone everybody nobody something anything everything nothing
myself yourself itself himself herself ourselves themselves there here
""")

SUBJECTS = word_set("i you he she it we they this that there these those people everyone everybody")

DETERMINERS = word_set("""
the a an this that these those my your our their his her its some any each every no another
both all which what either such enough more most less other
""")

PREPOSITIONS = word_set("""
of in on at for with by from into onto about between through during under over against across
without within towards toward among around behind beyond per via including regarding after before
despite except besides inside outside upon versus above below near throughout onto off
""")

MODALS = word_set("will would can could shall should may might must to cannot")

AUXILIARIES = word_set("""
am is are was were be been being do does did done doing have has had having will would can could
shall should may might must
""")

_CLOSED = word_set("""
and or but nor so yet if because since although though unless until while whereas when where why
how than as then not no yes there here also too very just only even still already again ever never
always often sometimes maybe perhaps really quite rather almost enough much many more most less
least few several own same both either neither else well now later soon once twice ago away back
off out up down together apart along yeah okay ok please like etc however therefore otherwise
instead anyway whether both whatever whichever whoever let us sure actually basically obviously
literally hopefully kind sort lot lots bit couple bunch way ways thing things stuff
tonight today tomorrow yesterday morning afternoon evening night day days week weeks month months
year years hour hours minute minutes second seconds moment moments time times monday tuesday
wednesday thursday friday saturday sunday january february march april may june july august
september october november december
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
hundreds thousand thousands million millions billion billions half dozen third quarter
percent per cent plus minus point oh hi hello hey bye goodbye thanks thank welcome sorry cheers
congratulations wow alright right yep nope kay cool dunno cetera vice versa hmm mm uh um
ones end rest side sides example instance matter fact course terms sense regard regards
mr mrs ms dr sir madam hon honourable honorable lord lady
something someone somebody somewhere somehow anything anyone anybody anywhere everything everyone
everybody everywhere nothing nobody nowhere none guy guys fellow folks
ahead everyday forward forth aside ago whole bit next last first previous following latter former
apologies diolch yn fawr whose whom yours ours theirs mine hers further elsewhere afterwards
afterward abroad anymore straight opposite onwards upfront tons loads gonna wanna whoa hooray
alone altogether others together mostly mainly cuz worse worst commit awhile twice
""")

# Verbs that are hardly ever the name of a topic; the inflected forms are made below.
_VERBS = """
accept achieve add admit advise afford agree aim allow announce answer appear apply appreciate
argue arrive ask assume attempt avoid become begin believe belong break bring build buy care carry
catch cause choose come compare complete concern confirm consider contain continue cover create
cut deal decide define deliver demand depend describe deserve determine develop die disagree
discuss draw drive drop eat enable encourage end enjoy ensure enter exist expect experience explain
express face fail fall feed feel fight figure fill find finish fit fix follow force forget get give
go grow guess handle hang happen hate have hear help hide hit hold hope identify imagine implement
improve include increase indicate inform intend introduce invite involve join jump keep kill know
laugh lead learn leave let listen live look lose love make manage mean meet mention mind miss move
need note notice obtain occur offer open organise organize own pass pay perform pick place point
prefer prepare pretend prevent produce promise propose protect prove provide pull push put raise
reach read realise realize receive recognise recognize recommend reduce refer reflect refuse remain
remember remind remove repeat replace represent require respond return ring rise run say see seem
select sell send separate serve set settle share show shut sit sleep solve sort sound speak spend
spot stand start state stay stick stop struggle study suggest suppose take talk teach tell tend
thank think throw touch treat trust try turn understand use visit wait walk want watch wear win
wish wonder work worry write
"""
_IRREGULAR = word_set("""
became begun began believed broke broken brought built bought came caught chose chosen cut dealt
did done drew drawn drove driven ate eaten fell fallen felt fought found forgot forgotten got
gotten gave given went gone grew grown hung had heard hid hidden held kept knew known led learnt
left lost made meant met paid put ran read rose risen said saw seen sold sent set shown sat slept
spoke spoken spent stood stuck took taken taught told thought threw thrown understood wore worn
won wrote written let goes does has gonna wanna gotta
""")

# Words that are verbs and the name of a topic; what stands around them decides.
_TOPICAL_VERBS = word_set("""
answer care cause concern cost cover deal demand design display drive end experience face figure
force fight help hope increase lead love mind need offer open place plan point price place promise
share show sort sound spot stand start state study talk touch trust turn use visit walk wish work
worry run read repeat return ring set place cut drop fall fit look move draw
""")

ADJECTIVES = word_set("""
able bad best better big bigger biggest black blue bright certain cheap cheaper clear clean close
common complex complicated correct crucial current curious different difficult direct double early
earlier easy easier entire exact expensive extra fair familiar famous far fast faster fine free
fresh full fun funny general glad good great green grey happy hard heavy high higher hot huge
important impossible individual interested interesting key kind large larger largest late likely
little long longer low lower lovely neat decent distant national provincial federal local sleek
fancy main major maximum minimum minor mixed modern narrow natural
necessary new newer nice normal obvious odd old older only ordinary original overall particular
perfect pleased poor possible potential present pretty previous proper proud quick quiet random rare
ready real reasonable recent red regular relevant rich safe sad serious sharp short significant
silly similar simple single slight slow slower small smaller smart soft sorry special specific
strange strong stupid sufficient super sweet tall terrible tight tiny total tough tremendous true
typical unable unique unusual useful usual various weird white wide wonderful wrong yellow young
younger aware grateful fantastic brilliant excellent awesome fundamental essential
additional initial subsequent respective appropriate absolute additional available
positive negative effective constant broad deep light nearby ongoing
hourly daily weekly monthly quarterly yearly
""")

# Too general to be a theme alone; fine beside a word that says more.
GENERAL = word_set("""
ability account action actions activity agenda agreement aim alternative amount answer answers
approach approaches area areas argument aspect aspects attention attempt background base basis
benefit benefits capacity case cases category chance change changes choice choices class colleague
colleagues comment comments committee communication company companies concept concepts concern
concerns condition conditions confidence conclusion connection consideration content context
contribution control conversation cost country countries culture date deal decision decisions
definition degree description design detail details development difference differences
difficulty direction discussion discussions document doubt effect effort efforts element elements
evidence evaluation event example examples expectation experience experiences expert extent
factor factors feature features feedback feeling field file figure file final finding findings
focus form forms framework front function functions future goal goals government governments group
groups guidance hand head heart help home hope human idea ideas image impact importance impression
individual individuals industry information input inside intention interest interests interface
issue issues item items job jobs kid kids knowledge level levels life line lines link list look
machine majority manager material materials means measure measures meeting meetings member
members message method methods middle mind minister ministers mistake mode model mode motion move
name names nature need needs news note notes notion number numbers object objective objectives
offer office opinion opinions opportunity opportunities option options order organisation
organization outcome outcomes output page pages paper paragraph part parts party pattern people
percentage period person perspective phase picture piece pieces place places plan plans player
policy policies position positions possibility power practice preference presentation presentations
price principle priority problem problems procedure process processes product products program
programme progress project projects proposal purpose quality question questions quote range rate
rates reason reasons reasonable record recommendation reference regard region relation relationship
report reports requirement requirements research resource resources respect response
responsibility result results review risk risks role room rule rules sample scale scenario scene
schedule scheme score section sector sentence series service services session set shape sheet
situation situations size slide slides solution solutions space speech staff stage standard start
statement statements state status step steps story strategy structure student subject success
suggestion support survey system systems table talk target task tasks team teams technique
techniques technology term test tests text theme theory title today tool tools top topic topics
total trend trends trouble truth turn type types understanding unit use user users value values
version versions view views voice volume whiteboard whole word words work world year
bill chair speaker house parliament honour petition petitions act clause amendment
friend friends man men woman women boy girl guy mother father family parent
prime minister opposition leader liberal liberals conservative conservatives secretary riding
canadian canadians canada welsh wales english england british britain american americans
europe european uk u.s
dollar dollars euro euros pound pounds cent cents bucks money
hell god gosh shit crap damn joke fun luck bye
thought thoughts guess wish couple difference sorts kinds bits
feel consideration position term summary overview introduction conclusion questionnaire
challenge challenges call calls route source sources variety participant participants estimate
component components constraint constraints criteria criterion combination gap gaps kind
lesson lessons burden commitment pressure pressures demand demands run crisis average balance
arrangement arrangements assessment assessments constituent constituents community communities
access application applications share investment management facility facilities
data floor auditor lunch coffee email shows ups neat
deputy cabinet blank default fault bottom left edge corner minute track opening closing member's
""")

# The most usual given names; a name is not a theme.
GIVEN_NAMES = word_set("""
adam alan alex alice amy andrea andreas andrew andy angela ann anna anne anthony barry ben beth
betty bethan bill bob brian carl carlos carol catherine charles chris christian christine chuck
claire dan daniel dave david debbie dennis diane don donald dorothy doug ed edward elizabeth ellen
emily emma eric eva florian frank fred gareth gary george grace greg hannah harry helen henry huw
ian jack jacob james jan jane janet jason jean jeff jennifer jenny jerry jessica jim jo joan joe
john jon jonathan jose joseph josh joyce judy julia julie justin karen kate kathy keith kelly ken
kevin kim larry laura lauren lee leo liam linda lisa liz louis lucy luke lynne margaret maria marie
mark martin mary matt matthew megan melissa michael michelle mike mohammed nancy nathan neil nick
nicole olivia oscar pam pamela pat patricia patrick paul peter phil philip rachel ralph ray rebecca
rhys richard rick rob robert robin roger ron rose ruth ryan sally sam samantha sandra sara sarah
scott sean sharon simon sophie stacy stephanie stephen steve steven stuart sue susan suzy tara ted
teresa terry thomas tim tina tom tony tracy vicky victor victoria walter wendy will william yvonne
siân sian llyr hefin janet dawn
""")


NUMBERS = word_set("""
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
thousand million first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth
""")


def _inflect(verb: str) -> tuple[str, ...]:
    stem = verb.removesuffix("e")
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb, verb[:-1] + "ies", verb[:-1] + "ied", verb + "ing"
    plural = verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "o")) else "s")
    doubled = verb + verb[-1]
    return verb, plural, stem + "ed", stem + "ing", doubled + "ed", doubled + "ing"


VERBS = frozenset(form for verb in _VERBS.split() for form in _inflect(verb)) | _IRREGULAR
TOPICAL_VERBS = frozenset(
    form for verb in _TOPICAL_VERBS for form in (verb, verb + "s", verb + "es", verb + "ing")
)

# Words with which no key phrase is made at all.
FUNCTION = (
    _CLOSED | FILLERS | OPENERS | PRONOUNS | DETERMINERS | PREPOSITIONS | MODALS | AUXILIARIES
)
UNFIT = FUNCTION | (VERBS - TOPICAL_VERBS) | GIVEN_NAMES

# Words that say little about what a sentence is about.
PLAIN = FUNCTION | VERBS | ADJECTIVES | FILLERS
