"""Auto-responses: the list of rules, one as a form, what they did."""

from datetime import date, timedelta

from unit.web.templates.contexts.shell import NOW, SHELL, Context, ago

RULE = {
    "id": "0199f0aa-4444-7000-8000-000000000001",
    "name": "Outside of hours",
    "rule_type": "template, sent as it is",
    "when": "18:00–08:00 Europe/Oslo Mon, Tue",
    "action": "send",
    "proposes": False,
    "enabled": True,
    "times": 1204,
    "last_at": ago(1),
}

LIST: Context = {
    **SHELL,
    "may_write": True,
    "rules": [
        RULE,
        {
            **RULE,
            "id": "0199f0aa-4444-7000-8000-000000000002",
            "name": "Invoices",
            "rule_type": "reply",
            "when": "invoice or past due or refund or 2 more in it",
            "action": "draft",
            "enabled": False,
            "times": 0,
            "last_at": None,
        },
        {
            **RULE,
            "id": "0199f0aa-4444-7000-8000-000000000003",
            "name": "Propose answers",
            "rule_type": "propose answers to me",
            "when": "every message",
            "action": "draft",
            "proposes": True,
        },
    ],
}

FORM: Context = {
    **SHELL,
    "rule_id": None,
    "version": 0,
    "form": {
        "name": "Invoices",
        "rule_type": "rule_based",
        "enabled": True,
        "response_template": "Hello {sender_name}, the invoice is with our accounts team.",
        "ai_customize": True,
        "priority": "30",
        "action": "draft",
        "cooldown": "3600",
        "timezone": "Europe/Oslo",
        "from": "",
        "until": "",
        "keywords": ["invoice", "past due"],
        "keyword_mode": "words",
        "senders": ["@fjordvik.example"],
        "channels": ["0199f0aa-5555-7000-8000-000000000001"],
        "start": "18:00",
        "end": "08:00",
        "range_timezone": "",
        "days": ["1", "2"],
        "business_hours": "outside",
        "holidays": "dates",
        "holiday_dates": ["2026-12-24"],
        "sentiment": ["negative"],
        "language": ["en", "nb"],
    },
    "errors": {},
    "failure": None,
    "types": [("rule_based", "reply"), ("smart_reply", "propose answers to me")],
    "cooldowns": [("60", "a minute"), ("3600", "an hour")],
    "weekdays": [("1", "Mon"), ("2", "Tue")],
    "channels": [("0199f0aa-5555-7000-8000-000000000001", "Support")],
    "tried": None,
    "may_write": True,
}

MESSAGE = {
    "sender_name": "Bo",
    "sender_id": "bo@fjordvik.example",
    "at": ago(0.1),
    "body": "When will my invoice be paid? " * 20,
}
CHECKS = [
    {"kind": "keywords", "holds": True, "why": "“invoice” is in it"},
    {"kind": "senders", "holds": False, "why": "bo@fjordvik.example is not listed"},
]
TRIED = [
    {
        "message": MESSAGE,
        "matches": False,
        "conditions": CHECKS,
        "guard": None,
        "reply": None,
        "proposes": False,
    },
    {
        "message": {**MESSAGE, "sender_name": ""},
        "proposes": False,
        "matches": True,
        "conditions": [],
        "guard": "It is an automatic message.",
        "reply": "Hello",
    },
    {
        "message": MESSAGE,
        "matches": True,
        "conditions": CHECKS[:1],
        "guard": None,
        "reply": "Hello Bo,\nwe are closed.",
        "proposes": False,
    },
    {
        "message": MESSAGE,
        "matches": True,
        "conditions": [],
        "guard": None,
        "reply": "",
        "proposes": True,
    },
]

ENTRY = {
    "rule_name": "Invoices",
    "sender": "bo@fjordvik.example",
    "outcome": "sent",
    "why": "",
    "text": "Hello Bo, the invoice is with our accounts team.",
    "proposals": [],
    "matched": ["“invoice” is in it", "The channel is closed"],
    "ai_customized": True,
    "ai_note": "local",
    "approval_status": "approved",
    "approval_url": "/approvals/0199f0aa-6666-7000-8000-000000000001",
    "message_url": "/inbox/0199f0aa-5555-7000-8000-000000000001?message=x",
    "at": NOW,
}

LOG: Context = {
    **SHELL,
    "outcome": "",
    "next_url": "/rules/log?cursor=x",
    "first_url": "/rules/log?",
    "entries": [
        ENTRY,
        {
            **ENTRY,
            "outcome": "stopped",
            "why": "A person answered meanwhile.",
            "text": None,
            "matched": [],
            "ai_customized": False,
            "ai_note": None,
            "approval_status": None,
        },
        {
            **ENTRY,
            "outcome": "proposed",
            "text": None,
            "proposals": ["Yes.", "No.", "Let me check."],
            "ai_customized": False,
            "approval_status": None,
        },
        {**ENTRY, "outcome": "drafted", "ai_customized": False, "ai_note": "not personalised"},
    ],
}

SUMS = {
    "matched": 40,
    "drafted": 12,
    "sent": 8,
    "proposed": 4,
    "stopped": 16,
    "ai_customized": 5,
}

ANALYTICS: Context = {
    **SHELL,
    "days": 30,
    "totals": SUMS,
    "replies": 20,
    "ai_percent": 25,
    "rules": [
        {"sum": {**SUMS, "rule_name": "Invoices"}, "share": 100.0},
        {"sum": {**SUMS, "rule_name": "Outside of hours", "matched": 4}, "share": 10.0},
    ],
    "by_day": [
        {
            "day": date(2025, 10, 22) + timedelta(days=n),
            "matched": n,
            "replies": n // 2,
            "stopped": n - n // 2,
            "share": 100 * n / 29,
            "reply_share": 50 * n / 29,
        }
        for n in range(30)
    ],
    "guards": [{"why": "A person answered meanwhile.", "count": 1600}],
}

PAGES: dict[str, tuple[str, Context]] = {
    "rules": ("rules/list.html", LIST),
    "rules-one": ("rules/list.html", {**LIST, "rules": [RULE]}),
    "rules-none": ("rules/list.html", {**LIST, "rules": []}),
    "rules-of-a-viewer": ("rules/list.html", {**LIST, "may_write": False}),
    "rules-none-of-a-viewer": ("rules/list.html", {**LIST, "rules": [], "may_write": False}),
    "rule-new": ("rules/form.html", FORM),
    "rule": ("rules/form.html", {**FORM, "rule_id": RULE["id"], "version": 3}),
    "rule-of-a-viewer": ("rules/form.html", {**FORM, "rule_id": RULE["id"], "may_write": False}),
    "rule-tried": ("rules/form.html", {**FORM, "tried": TRIED, "channels": []}),
    "rule-tried-on-nothing": ("rules/form.html", {**FORM, "tried": []}),
    "rule-wrong": (
        "rules/form.html",
        {
            **FORM,
            "form": {**FORM["form"], "cooldown": "5400"},
            "errors": dict.fromkeys(
                "name rule_type response_template action cooldown priority timezone from until "
                "keywords senders channels start end range_timezone business_hours holidays "
                "language ai_customize".split(),
                "It is not valid.",
            ),
        },
    ),
    "rule-stale": (
        "rules/form.html",
        {**FORM, "rule_id": RULE["id"], "failure": "This rule was changed in another place."},
    ),
    "rule-too-many": ("rules/form.html", {**FORM, "failure": "You have 100 rules already."}),
    "rules-log": ("rules/log.html", LOG),
    "rules-log-none": (
        "rules/log.html",
        {**LOG, "entries": [], "next_url": None, "first_url": None},
    ),
    "rules-log-none-stopped": (
        "rules/log.html",
        {**LOG, "entries": [], "outcome": "stopped", "next_url": None, "first_url": None},
    ),
    "rules-analytics": ("rules/analytics.html", ANALYTICS),
    "rules-analytics-none": (
        "rules/analytics.html",
        {**ANALYTICS, "totals": dict.fromkeys(SUMS, 0), "replies": 0, "rules": [], "guards": []},
    ),
    "rules-analytics-unstopped": ("rules/analytics.html", {**ANALYTICS, "guards": []}),
}
