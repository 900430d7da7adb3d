"""What people say when they take something on."""

from tidings.ai.engines.local.lexicon.row import Row

ROWS: tuple[Row, ...] = (
    Row(
        3,
        "send email e-mail forward share circulate",
        r"(?:i|we|you|he|she|they) (?:\w+ )?(?:will|am going to|are going to|shall|can|need to|"
        r"have to) <adv>(?:send|email|e-mail|forward|share|circulate)\b"
        r"(?! (?:my |the |your )?screen)",
    ),
    Row(
        3,
        "follow look check find prepare write draft update schedule arrange organise organize book "
        "set talk ask contact call report finish work put test bring provide review investigate "
        "confirm get make run fix build collect document compile introduce",
        r"(?:i|we|you) (?:will|am going to|are going to|shall) <adv>(?:follow up|look into|"
        r"check (?:with|the|whether|if|on|how|what)|find out|prepare|write (?:up|down|a|the|to)|"
        r"draft|update|schedule|arrange|organi[sz]e|book|set up|talk to|ask \w+|contact|call \w+|"
        r"report back|finish|work on|put together|test|bring|provide|review|investigate|confirm|"
        r"get back to|make a (?:list|note|prototype)|run (?:the|a|some)|fix|build|collect|"
        r"document|compile|introduce)\b",
    ),
    Row(
        2.5,
        "action to-do follow-up next",
        r"(?:action (?:item|point)s?|to-do|follow-up|next steps?) (?:\w+ ){0,4}"
        r"(?:is|are|for|will be)\b",
    ),
    Row(
        2.5,
        "by before",
        r"(?:i|we|you|he|she|they) (?:will|can|am going to|are going to|need to|have to|should|"
        r"must) (?:\w+ ){1,14}(?:by|before) (?:monday|tuesday|wednesday|thursday|friday|tomorrow|"
        r"next|the (?:end|next|weekend)|then|tonight|lunch)\b",
    ),
    Row(
        2,
        "need have",
        r"(?:i|you|we) (?:still |also |all )?(?:need|have) to (?:send|check|find out|follow up|"
        r"schedule|finish|write|prepare|email|contact|ask|organi[sz]e|test|run|update|fix|report|"
        r"get (?:the|a|some|hold))\b",
    ),
    Row(
        2,
        "send schedule prepare draft follow share circulate review set confirm",
        r"^(?:send|schedule|prepare|draft|follow up|share|circulate|review|set up|confirm) "
        r"(?:the|a|an|our|your|all|us|me|them|with|to)\b",
    ),
    Row(2, "please", r"please (?:send|check|prepare|make sure|email|share|forward|review)\b"),
    Row(
        2,
        "working work doing do prepare",
        r"(?:you|he|she|designer|expert|manager|marketing) (?:will|are going to|is going to) "
        r"(?:be )?(?:work(?:ing)? on|do(?:ing)? the|prepare)\b",
    ),
)
