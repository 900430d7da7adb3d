"""What people say when they name what they are after, or what a thing has to be."""

from tidings.ai.engines.local.lexicon.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        3,
        "goal aim objective ambition mission vision target",
        r"(?:our|the|my|their|its|a|main|key|one|whole) (?:\w+ ){0,2}"
        r"(?:goal|aim|objective|ambition|mission|vision|target) "
        r"(?:(?:for|of|in|with|here|that|this|at|by|on|as|we) (?:[\w'-]+ ){0,5})?"
        r"(?:is|are|will be|would be|has been|stays|remains)\b",
    ),
    Row(
        1.5,
        "goal aim objective target",
        # "the goal was eighty" tells a figure of the past
        r"(?:our|the|my|a|main) (?:\w+ )?(?:goal|aim|objective|target) (?:was|were) (?:to|that)\b",
    ),
    Row(
        3,
        "priority priorities",
        r"(?:our|my|the) (?:[\w-]+ ){0,2}(?:priority|priorities) "
        r"(?:(?:for|of|in|here|now|right) (?:[\w-]+ ){0,4})?<be>\b",
    ),
    Row(
        3,
        "want",
        r"(?:this|that|here) is what (?:we|i) want\b(?! to (?:say|ask|show|talk))",
    ),
    Row(
        2.5,
        "goal aim objective ambition goals aims objectives",
        r"(?:with |our |an )?(?:the |our |an )(?:goal|aim|objective|ambition)s? (?:of|to)\b",
    ),
    Row(
        2.5,
        "aiming aim hoping hope intend intending planning plan",
        r"we <adv>(?:are |have been )?<adv>"
        r"(?:aiming|aim|hoping|hope|intend|intending|planning|plan) (?:to|for|that|on)\b",
    ),
    Row(
        2.5,
        "want",
        r"we <adv>want (?:to|it|a|an|our|every|this|all|people|them|something|the|one|two|no)\b"
        r"(?! (?:say|know|see|talk|go into|do that|do it|do this|do|ask|look|thank|hear)\b)",
    ),
    Row(
        2.5,
        "want",
        r"i <adv>want (?!to\b|you\b|it\b|that\b|this\b|them\b|him\b|her\b|us\b)"
        r"(?:[\w'-]+ ){1,4}to (?:be able to )?(?!(?:say|know|see|think|look|talk)\b)[a-z]{2,}",
    ),
    Row(
        2,
        "want need like",
        r"i (?:really |also |still )?(?:want|need|would (?:really )?like) "
        r"(?:(?:a|an|one|our|every|all) "
        r"(?!(?:second|minute|moment|word|look|question|copy|coffee|name|call)\b)[\w-]+|"
        r"to (?:get|have|reduce|bring|replace|keep|reach|halve|double|improve|increase|"
        r"offer|grow|stop|avoid|protect) (?!back\b|on\b|it\b|that\b|this\b|a look|in mind)\w+)",
    ),
    Row(
        2,
        "want wants",
        r"(?:our|the) (?:[\w-]+ )?(?:customers?|users?|team|company|board|director|staff|managers?|"
        r"clients?|government|management) <adv>wants? (?:to|a|an|us|it|something)\b",
    ),
    Row(
        2,
        "want wanted need",
        r"what (?:we|i|they|the [\w-]+) <adv>(?:want(?:ed)?(?: to \w+)?|need) (?:is|was)\b",
    ),
    Row(
        2,
        "trying looking",
        r"we (?:are|have been) <adv>(?:trying|looking) (?:to|for)\b"
        r"(?! (?:see|say|think|understand|find out|figure|get this|do)\b)",
    ),
    Row(
        2,
        "like love",
        r"we would <adv>(?:like|love) (?:to|it|our|every|a|an|all|something)\b"
        r"(?! (?:say|thank|know|see|ask|go|propose|suggest|recommend|hear|invite|talk)\b)",
    ),
    Row(
        2,
        "be",
        r"(?:it|this|product|device|remote|design|system|solution|thing|one|they|app|interface|"
        r"service|buttons?) <adv>(?:should|must|has to|have to|needs to|need to|has got to|"
        r"ought to|is supposed to|is meant to|would have to) <adv>be "
        r"(?!(?:a |the )?(?:problem|fine|okay|ok|good|interesting|done|able to do|said|careful|"
        r"possible|enough|that|like|it|there|here|in|on|something|more|one|two|right)\b)[a-z]{4,}",
    ),
    Row(
        1.5,
        "sure ensure ensuring",
        # not what has been done, or is done all the time, to make sure
        r"(?:want|wants|need|needs|have|has|must|should|will|going|aim|aiming|like|important|"
        r"essential|committed|determined|job is|role is|is about) (?:to )?<adv>"
        r"(?:make sure|making sure|ensure|ensuring) "
        r"(?:that|we|every|our|the|it|people|they|all|there)\b",
    ),
    Row(
        2,
        "committed commitment",
        r"(?:we|government|i) (?:are|am|is|have been|remain) <adv>committed to|"
        r"our commitment to|(?:government|our) commitment",
    ),
    Row(
        2,
        "important essential crucial vital critical",
        r"(?:it|what|that|which|this) (?:is|was) (?:\w+ )?"
        r"(?:important|essential|crucial|vital|critical) (?:that|to|for|is)\b"
        r"(?! (?:say|note|remember|mention|recogni[sz]e|point out|understand|realise|me|us|the|our|"
        r"my|your|their|a|this|those)\b)",
    ),
    Row(
        2,
        "important",
        r"(?:most|more|really|very) important (?:thing|aspect|factor|feature|point|requirement|"
        r"part|aspects|features|requirements) (?:[\w']+ ){0,5}<be>",
    ),
    Row(
        2,
        "success succeed",
        r"(?:success|succeed) (?:for us |here )?(?:would|looks|means|is|will)\b",
    ),
    Row(
        1.5,
        "aiming hoping hope intend planning plan",
        r"i <adv>(?:am )?(?:aiming|hoping|hope|intend|planning|plan) (?:to|for|that)\b",
    ),
    Row(
        1.5,
        "able",
        r"(?:should|must|need to|needs to|has to|have to|want to|wants to|to|will) be able to "
        r"<solid>\w+",
    ),
    Row(
        1.5,
        "need needs",
        r"(?:we|customers|users|people|business|team|staff|they) <adv>needs? (?:to (?:have|make|"
        r"get|keep|reduce|improve|increase|build|create|find|bring|move|cut|develop|deliver|"
        r"provide|support|protect|reach|offer|target|focus|achieve|replace|design)|"
        r"a|an|something|one|more|better|our)\b",
    ),
    Row(
        1.5,
        "purpose idea point",
        r"(?:whole |main )?(?:purpose|idea|point) (?:of (?:\w+ ){1,4})?(?:is|was) "
        r"(?:to|that (?:we|it|you|people))\b(?! (?:say|see)\b)",
    ),
    Row(1.5, "achieve", r"to achieve\b"),
    Row(1.5, "requirement requirements", r"requirements? (?:\w+ ){0,4}(?:is|are|was|were)\b"),
    Row(
        1.5,
        "interested focus focused focusing",
        r"we (?:are|have been) (?:\w+ )?(?:interested in|focus(?:ed|ing)? on)\b",
    ),
    Row(
        1,
        "below under above least",
        r"(?:get|bring|keep|push|have|is|at|stays?) (?:[\w'-]+ ){0,6}"
        r"(?:below|under|above|at least) (?:\w+ ){1,3}"
        r"(?:per|percent|days?|hours?|minutes?|calls?)\b",
    ),
    Row(1, "order", r"in order to <solid>"),
    Row(
        1,
        "by before until",
        r"(?:by|before|until) (?:the end of|next|this|january|february|march|april|june|july|"
        r"august|september|october|november|december|q[1-4]|spring|summer|autumn|christmas)\b",
    ),
)
