"""What people say when something is hard, missing, broken or slow."""

from tidings.ai.engines.local.lexicon.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        3,
        "problem challenge issue difficulty obstacle barrier bottleneck complaint drawback "
        "downside",
        r"(?:the|a|our|one|another|my|their|main|big|biggest|real|key|major|only|huge) "
        r"(?:[\w-]+ ){0,2}(?:problem|challenge|issue|difficulty|obstacle|barrier|bottleneck|"
        r"complaint|drawback|downside) (?:[\w'-]+ ){0,7}"
        r"(?:is|was|are|has been)\b",
    ),
    Row(2.5, "struggle struggling struggled struggles", r"struggl(?:e|ing|ed|es)\b"),
    Row(
        2.5,
        "lack shortage lacking shortages backlog backlogs bottlenecks",
        r"(?:a |the )?(?:lack|shortage)s? of\b|lacking\b|shortages?\b|backlogs?\b|bottlenecks\b",
    ),
    Row(
        2,
        "problem problems challenge challenges issue issues difficulty difficulties",
        r"(?:have|has|had|having|face|facing|faced|cause|causes|causing|caused|create|creates|see|"
        r"there is|there are|is|are|be|run into|experiencing|big|real|serious|significant|major|"
        r"huge|financial|technical|our|biggest|main) (?:[\w-]+ ){0,3}"
        r"(?:problems?|challenges?|difficult(?:y|ies)|issues? with)\b",
    ),
    Row(
        2,
        "not",
        r"(?:do|does|did|is|are|have|has|had|was|were) not (?:\w+ )?(?:have |get |provide )?"
        r"(?:enough|sufficient|adequate)\b|not enough (?!time to)",
    ),
    Row(
        2,
        "not",
        r"(?:it|system|systems|app|tool|process|that|they|feature|software|which|people|customers|"
        r"users|numbers?) (?:(?:does|do|did) not (?:\w+ )?(?:work|fit|match|recogni[sz]e|like|"
        r"support|help|scale|integrate|understand|tell|show|update|sync|talk to)|"
        r"(?:is|are|has) not (?:\w+ )?(?:working|worked|supported|helping|correct))\b",
    ),
    Row(
        2,
        "difficult hard harder tricky tough",
        r"(?:is|are|was|be|becomes?|find|finds|it|been|made|"
        r"makes it|makes|bit) (?:\w+ )?(?:difficult|hard|harder|tricky|tough) (?:to|for)\b"
        r"(?! (?:say|tell|know|argue|answer|comment|describe)\b)",
    ),
    Row(
        2,
        "takes spend spends spending took",
        r"(?:takes?|took|spends?|spending) (?:\w+ ){0,3}"
        r"(?:too long|ages|forever|hours|days|weeks|half|most of)\b",
    ),
    Row(
        1,
        "hours days weeks minutes times day",
        r"(?:hours|days|weeks|minutes|times|half a day|a day) (?:a|per|every|each|for every) "
        r"(?:day|week|month|order|call|night|morning|year|time|invoice|customer)\b",
    ),
    Row(
        2,
        "spreadsheet spreadsheets paper excel",
        r"(?:in|with|by|using|keep|keeps) (?:spreadsheets?|paper|excel)\b|"
        r"(?:in|using|keep|keeps) (?:an?|our|the|this|that|their) (?:spreadsheets?|excel)\b",
    ),
    Row(
        2,
        "cost costs costing",
        r"(?:it|that|this|which|mistakes?|delays?|errors?) (?:\w+ )?(?:costs?|costing) us\b",
    ),
    Row(
        2,
        "frustrating frustrated frustration annoying annoyed complain complained complaining "
        "complaints painful nightmare pain hate hates",
        r"frustrat(?:ing|ed|ion)|annoy(?:ing|ed)\b|complain(?:ed|ing|ts)?\b|painful|nightmare|"
        r"pain\b|(?:people|they|users|customers|we|everyone|i) <adv>hates?\b",
    ),
    Row(
        2,
        "broken fails failed failing failure failures breaks breaking crashed crashes broke",
        r"(?:is|are|was|it|keeps?|been|system|they|which) (?:\w+ )?(?:broken|fails?|failed|"
        r"failing|breaks|breaking|crash(?:ed|es)|broke)\b|failures?\b",
    ),
    Row(
        2,
        "lose loses lost losing waste wastes wasted wasting missed missing",
        r"(?:we|they|people|it|always|keep|keeps|customers?|users|that|have|has|been|are|is) <adv>"
        r"(?:los(?:e|es|ing|t)|wast(?:e|ed|es|ing)|miss(?:ed|ing)) (?!the point|you)\w+",
    ),
    Row(
        2,
        "delay delays delayed late overdue",
        r"(?:is|are|was|were|been|got|gets|be) (?:\w+ )?delayed\b|"
        r"delays? (?:in (?!the signal)|to the|caused?|with|every)|"
        r"(?:arrives?|delivered|always|weeks|days|hours) late\b|overdue",
    ),
    Row(
        2,
        "burden burdens pressure hardship hardships deficit inequality gaps gap cuts",
        r"burdens?\b|hardships?\b|under (?:\w+ )?pressure|inequality\b|gaps? (?:in|between)\b|"
        r"(?:financial|cost|funding|budget) (?:pressure|deficit|cuts)",
    ),
    Row(
        2,
        "bureaucratic bureaucracy cumbersome unreliable inconsistent inaccurate outdated duplicate "
        "duplicates hand manual manually confusing confused confusion messy",
        r"bureaucra(?:tic|cy)|cumbersome|unreliable|inconsistent|inaccurate|outdated|duplicates?|"
        r"by hand (?:again|every|each|all|because|and|twice|once a)\b|manually|"
        r"manual (?:work|process\w*|entry|steps?|effort|checks?)\b|"
        r"confus(?:ing|ed|ion)|messy",
    ),
    Row(2, "trouble", r"(?:have|had|having|has|in|the|into|some) (?:\w+ )?trouble\b"),
    Row(
        1.5,
        "can could",
        r"(?:we|they|you|people|users|customers|families|businesses|who|it|staff|teams?) "
        r"(?:can|could) not <adv>(?!(?:wait|complain|say|see why|do that|remember|think of|"
        r"comment|speak|answer|imagine|tell you|hear)\b)\w+",
    ),
    Row(
        2,
        "not",
        r"(?:is|are|was|were) not (?:really |yet )?(?:fit|good enough|acceptable|secure|safe|right|"
        r"reliable|usable|tested|compatible|accurate)\b",
    ),
    Row(1.5, "not", r"(?:i|we) had not (?:thought of|considered|expected)\b"),
    Row(
        2,
        "only just",
        r"(?:system|app|tool|screen|software|device|process|form|machine) (?:only|just) "
        r"(?:knows|allows|shows|supports|takes|has|works|accepts|handles)\b",
    ),
    Row(2, "half", r"half (?:of )?the time\b"),
    Row(
        2,
        "so",
        r"(?:is|are|was|were) so (?:<bad>|weak|bad|poor|unreliable|old) (?:that|the|it|we|they)\b",
    ),
    Row(2, "failed", r"(?:we|they|it) (?:have |has |had )?failed\b"),
    Row(1.5, "unable", r"(?:is|are|was|were|be|been) unable to\b"),
    Row(
        1.5,
        "too",
        r"(?:is|are|was|were|takes?|took|taking|be|being|get|gets|costs?|have|has|had) "
        r"(?:\w+ )?(?:far |much |way |just |a bit |a little )?too <bad>\b",
    ),
    Row(
        1.5,
        "limited limitation constraint restrictive",
        r"(?:are|is|by|be|very|pretty) (?:\w+ )?limited (?:by|in|to|because)\b|"
        r"(?:the|a|big|main) (?:limitation|constraint) (?:\w+ ){0,4}is\b|too restrictive",
    ),
    Row(
        1.5,
        "suffer suffering suffered suffers worse worst decline declining",
        r"suffer(?:ing|ed|s)?\b|(?:getting|got|become|even|much) worse|worst (?:thing|part|of)|"
        r"declin(?:e|ing)\b",
    ),
    Row(
        1.5,
        "errors mistakes bugs incorrect wrong",
        r"errors\b|mistakes\b|bugs\b|incorrect|(?:goes|went|is|are|comes?) wrong\b",
    ),
    Row(1.5, "hand", r"by hand\b"),
    Row(
        1.5,
        "concern concerns",
        r"(?:people|they|customers|members|families|staff|we|i) (?:\w+ ){0,2}"
        r"(?:have|has|had|raised|expressed) (?:\w+ ){0,3}concerns?\b",
    ),
    Row(1, "crisis pressures poverty", r"(?:crisis|pressures|poverty)\b"),
    Row(1, "unfortunately", r"unfortunately"),
)

# A "not" or "no" belongs to these and does not cancel them.
DENYING_ROWS: tuple[Row, ...] = (
    Row(
        2,
        "nobody nothing no",
        r"(?:nobody|no one) (?:\w+ )?(?:knows|owns|checks|tells|uses|reads|has (?!to)|wants\b)|"
        r"there is no (?!reason|need|doubt|question|problem|point|rush|way that|chance|hurry|"
        r"growth|risk|danger|challenge|issue|concern)\w+",
    ),
    Row(
        2,
        "none",
        r"none of (?:them|these|those|us|the [\w-]+|our [\w-]+) (?:\w+ )?"
        r"(?:knows?|talks?|works?|fits?|match|matches|agrees?|trusts?|owns?|has|have|can)\b",
    ),
    Row(2, "trust trusts", r"(?:not|nobody|no one|never) (?:\w+ )?trusts? (?!me)\w+"),
    Row(
        1.5,
        "without",
        r"(?:are|is|work|working|go|went|being|left|live|do it) without (?:a|an|any)\b",
    ),
)
