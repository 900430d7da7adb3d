"""The queue, one approval, the policy, and the page behind the link in mail."""

from unit.web.templates.contexts.shell import NOW, RUN, SHELL, SIGNED_OUT, Context, ago

APPROVAL = {
    "id": RUN,
    "type": "email",
    "channel": "email",
    "to": "bo@fjordvik.example",
    "subject": "Your question about the API",
    "content": "Hello Bo,\n\nyes, it takes batches of 500.",
    "status": "pending",
    "version": 1,
    "reason": "Bo asked twice and nobody answered.",
    "quotes": ["Does the API take batches?", "And how many at once?"],
    "ai_score": 82,
    "created_at": ago(0.2),
    "decided_by": "",
    "reviewed_at": None,
    "expires_at": ago(-2),
    "waits": "",
    "next_attempt_at": None,
    "outcome": "",
    "problem": "",
    "sent_at": None,
    "is_automatic": False,
    "answered_url": f"/inbox/{RUN}?message={RUN}",
    "answers_elsewhere": "bo@elsewhere.example",
    "is_unwanted": False,
    "may_decide": True,
    "may_edit": True,
    "may_cancel": False,
    "may_retry": False,
    "may_open": False,
    "may_mark": False,
}

OTHER_ID = RUN[:-1] + "2"
WAITING = {
    **APPROVAL,
    "id": OTHER_ID,
    "channel": "linkedin",
    "subject": "",
    "status": "approved",
    "decided_by": "Ada Sorensen",
    "reviewed_at": NOW,
    "expires_at": None,
    "waits": "the last try failed",
    "next_attempt_at": ago(-0.1),
    "problem": "451 greylisted, try again",
    "ai_score": None,
    "is_automatic": True,
    "answered_url": None,
    "answers_elsewhere": None,
    "is_unwanted": True,
    "may_decide": False,
    "may_cancel": True,
    "may_retry": True,
    "may_open": True,
}
FAILED = {
    **WAITING,
    "status": "failed",
    "next_attempt_at": None,
    "outcome": "Nobody knows whether it left: look before you retry.",
    "may_edit": False,
    "may_cancel": False,
    "may_open": False,
}
SENT = {**FAILED, "status": "sent", "outcome": "", "problem": "", "sent_at": NOW, "reason": ""}

QUEUE: Context = {
    **SHELL,
    "approvals": [APPROVAL, WAITING],
    "status": "pending",
    "states": [
        {"status": "pending", "text": "To decide", "number": 1204},
        {"status": "failed", "text": "Failed", "number": 0},
        {"status": "all", "text": "All", "number": 0},
    ],
    "here": "/approvals?status=pending",
    "next_url": "/approvals?status=pending&cursor=x",
    "first_url": None,
    "topics": f"approvals,approvals:{RUN}",
}

SHOW: Context = {
    **SHELL,
    "approval": APPROVAL,
    "form": {"to": "bo@fjordvik.example", "subject": "", "content": "Hello Bo"},
    "errors": {},
    "attempts": [],
    "topics": "approvals",
}

LIMIT = {"channel": "email", "per_hour": "50", "per_day": "500", "gap_seconds": "30"}

SENDING: Context = {
    **SHELL,
    "policy": {
        "time_zone": "Europe/Oslo",
        "sent_today": 12,
        "daily_cap": 150,
        "version": 3,
        "updated_at": NOW,
    },
    "form": {
        "automation": "assisted",
        "approval_required": "on",
        "replies_any_hour": "",
        "daily_cap": "150",
        "hours_start": "08:00",
        "hours_end": "18:00",
        "replies_only": "",
        "least_score": "",
    },
    "guarded": ["slack"],
    "limits": [
        LIMIT,
        {"channel": "slack", "per_hour": "", "per_day": "", "gap_seconds": ""},
    ],
    "entry": {"kind": "email", "value": "", "reason": ""},
    "errors": {},
    "entries": [
        {
            "kind": "email",
            "value": "eve@fjordvik.example",
            "reason": "Asked on the phone.",
            "source": "person",
            "created_at": NOW,
            "asked_at": None,
            "message_id": None,
            "channel_id": None,
        },
        *(
            {
                "kind": "handle",
                "value": f"bo{number}",
                "reason": "They asked so in a message.",
                "source": "opt_out",
                "created_at": NOW,
                "asked_at": NOW.replace(year=2015),
                "message_id": "0199f0aa-1111-7000-8000-000000000001",
                "channel_id": channel_id,
            }
            for number, channel_id in enumerate((None, "0199f0aa-1111-7000-8000-000000000002"))
        ),
    ],
    "next_url": None,
    "first_url": "/settings/sending",
}

GATEWAYS: Context = {
    **SHELL,
    "gateways": [
        {"channel": "whatsapp", "url": "https://gateway.fjordvik.example/out", "updated_at": NOW}
    ],
    "channels": ["email", "slack", "whatsapp"],
    "form": {"channel": "whatsapp", "url": ""},
    "errors": {},
    "made": None,
}

VIEWER = {**SHELL["user"], "is_admin": False, "may_write": False}
LINK: Context = {
    **SIGNED_OUT,
    "token": "t" * 64,
    "contact": "bo@fjordvik.example",
    "sender": "Lindqvist Consulting",
    "is_done": False,
}

PAGES: dict[str, tuple[str, Context]] = {
    "approvals": ("approvals/index.html", QUEUE),
    "approvals-seen": ("approvals/index.html", {**QUEUE, "user": VIEWER}),
    "approvals-empty": ("approvals/index.html", {**QUEUE, "approvals": [], "next_url": None}),
    "approvals-none-failed": (
        "approvals/index.html",
        {**QUEUE, "approvals": [], "status": "failed", "next_url": None},
    ),
    "approvals-failed": (
        "approvals/index.html",
        {**QUEUE, "approvals": [FAILED, {**SENT, "id": RUN}], "status": "all"},
    ),
    "approval": ("approvals/show.html", SHOW),
    "approval-wrong": (
        "approvals/show.html",
        {
            **SHOW,
            "errors": {"to": "must be one e-mail address", "content": "is empty"},
        },
    ),
    "approval-failed": (
        "approvals/show.html",
        {
            **SHOW,
            "approval": FAILED,
            "attempts": [
                {
                    "number": 1,
                    "at": ago(0.1),
                    "outcome": "unknown",
                    "detail": "No answer in time.",
                }
            ],
        },
    ),
    "approval-sent": (
        "approvals/show.html",
        {**SHOW, "user": VIEWER, "approval": {**SENT, "quotes": []}},
    ),
    "sending": ("settings/sending.html", SENDING),
    "sending-seen": ("settings/sending.html", {**SENDING, "user": VIEWER, "entries": []}),
    "sending-wrong": (
        "settings/sending.html",
        {
            **SENDING,
            "errors": {
                "hours_end": "must be after hours_start",
                "limits.email.per_hour": "must be between 0 and 999,999",
                "entry_value": "must be an e-mail address",
            },
        },
    ),
    "gateways": ("settings/gateways.html", GATEWAYS),
    "gateways-none": ("settings/gateways.html", {**GATEWAYS, "gateways": []}),
    "gateways-made": (
        "settings/gateways.html",
        {
            **GATEWAYS,
            "made": {
                "channel": "whatsapp",
                "url": "https://gateway.fjordvik.example/out",
                "secret": "whsec_" + "x" * 44,
            },
        },
    ),
    "gateways-wrong": (
        "settings/gateways.html",
        {
            **GATEWAYS,
            "form": {"channel": "sms", "url": "http://x"},
            "errors": {"url": "must begin with https://"},
        },
    ),
    "unsubscribe": ("approvals/unsubscribe.html", LINK),
    "unsubscribed": ("approvals/unsubscribe.html", {**LINK, "is_done": True}),
}
