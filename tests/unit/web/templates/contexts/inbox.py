"""The inbox in its modes, and a channel's forms."""

from unit.web.templates.contexts.shell import SHELL, Context, ago

SUPPORT = "0199f0aa-2222-7000-8000-000000000001"
TEAM = "0199f0aa-2222-7000-8000-000000000002"
THREAD = "0199f0aa-2222-7000-8000-000000000003"
VIEWER = {**SHELL["user"], "is_admin": False, "may_write": False}

CHANNEL: Context = {
    "id": SUPPORT,
    "name": "Support",
    "kind": "email",
    "last_position": 1204,
    "last_message_at": ago(0.01),
    "archived_at": None,
    "is_member": True,
    "read_position": 1201,
    "unread": 3,
}


def message(number: int, body: str, **more: object) -> Context:
    """A message of the channel."""
    return {
        "id": f"0199f0aa-3333-7000-8000-{number:012}",
        "sender": "Solveig Aune",
        "address": "solveig@fjordvik.example",
        "is_ours": False,
        "automatic": None,
        "subject": "Gate counters",
        "body": body,
        "quoted": "",
        "attachments": [],
        "at": ago(number / 10),
        "thread_id": THREAD,
        "is_unread": number < 3,
        **more,
    }


MESSAGES = [
    message(1, "The counters at gate 4 are dark again.\nCould you look today?"),
    message(2, "I am away until Monday.", automatic="reply", subject=""),
    message(
        3,
        "We sent somebody, he is there at two.",
        is_ours=True,
        sender="Ada Sorensen",
        attachments=[{"name": "route.pdf", "bytes": 48_213}],
    ),
    message(4, "Long. " * 500, thread_id=None),
    message(5, "Yes, on Monday.", quoted="On Friday Ada wrote:\n> Does it fit?"),
]

ANSWERS: Context = {
    "message_id": MESSAGES[0]["id"],
    "proposals": [
        "Yes, I will take care of it.",
        "I can help with that. Could you tell me a little more about what you need?",
        "I am afraid I cannot do that. Shall I ask somebody who can?",
    ],
    "engine": "local",
    "approval_id": None,
}

INDEX: Context = {
    **SHELL,
    "channels": [
        {"id": SUPPORT, "name": "Support", "kind": "email", "unread": 3},
        {"id": TEAM, "name": "Team chat", "kind": "chat", "unread": 0},
    ],
    "channel": None,
    "mailbox": None,
    "topics": [f"channel:{SUPPORT}", f"channel:{TEAM}"],
    "mode": "index",
    "q": "",
    "error": None,
    "messages": [],
    "threads": [],
    "thread": None,
    "found": [],
    "answers": None,
    "is_live": False,
    "next_url": None,
    "first_url": None,
}
SHOWN: Context = {**INDEX, "channel": CHANNEL, "mode": "messages", "is_live": True}
FOUND: Context = {
    **INDEX,
    "mode": "found",
    "q": "counter",
    "found": [
        {
            "url": f"/inbox/{SUPPORT}?thread={THREAD}",
            "channel": "Support",
            "sender": "Solveig Aune",
            "subject": subject,
            "at": ago(1),
            "parts": [("The ", False), ("counters", True), (" at gate 4", False)],
        }
        for subject in ("Gate counters", "")
    ],
}
FORM: Context = {
    "name": "Support",
    "kind": "email",
    "timezone": "Europe/Oslo",
    "days": ["1", "2", "3", "4", "5"],
    "start": "09:00",
    "end": "16:30",
    "keeps_hours": False,
    "holidays": "2026-05-17",
    "version": "4",
}
KINDS = ["email", "chat", "sms", "whatsapp", "telegram", "slack", "web", "other"]
SETTINGS: Context = {
    **SHELL,
    "channel": CHANNEL,
    "form": FORM,
    "errors": {},
    "kinds": KINDS,
    "members": [
        {
            "id": TEAM,
            "name": "Ada Sorensen",
            "email": "ada@lindqvist.example",
            "since": ago(90),
            "is_you": True,
        }
    ],
    "others": [{"id": THREAD, "name": "Bo Lindqvist"}],
}
MAILBOX: Context = {
    "user": "support@lindqvist.example",
    "host": "imap.lindqvist.example",
    "since": None,
    "failures": 0,
    "last_error": None,
    "last_checked_at": ago(0.001),
    "next_check_at": ago(-0.001),
    "paused_at": None,
}
FAILING: Context = {
    **MAILBOX,
    "failures": 3,
    "last_error": "imap.lindqvist.example: [AUTHENTICATIONFAILED] <b>no</b>",
}
INCOMING: Context = {
    **SHELL,
    "channel": CHANNEL,
    "mailbox": MAILBOX,
    "form": {
        "host": "imap.lindqvist.example",
        "port": "993",
        "tls": "implicit",
        "user": "support@lindqvist.example",
        "password": "",
        "folder": "INBOX",
        "own_addresses": "ada@lindqvist.example",
        "begin": "all",
    },
    "errors": {},
    "may_be_plain": False,
    "hooks": [{"id": THREAD, "created_at": ago(12)}],
    "created": None,
}
NEW: Context = {**SHELL, "form": FORM, "errors": {}, "kinds": KINDS}

GATE_COUNTERS = {
    "id": THREAD,
    "subject": "Gate counters",
    "messages_count": 4,
    "first_message_at": ago(1),
}
PAGES: dict[str, tuple[str, Context]] = {
    "inbox": ("inbox/show.html", INDEX),
    "inbox-empty": ("inbox/show.html", {**INDEX, "channels": [], "topics": []}),
    "inbox-empty-viewer": ("inbox/show.html", {**INDEX, "channels": [], "user": VIEWER}),
    "inbox-messages": (
        "inbox/show.html",
        {**SHOWN, "messages": MESSAGES, "next_url": "/inbox?cursor=x", "first_url": "/inbox"},
    ),
    "inbox-answers": ("inbox/show.html", {**SHOWN, "messages": MESSAGES, "answers": ANSWERS}),
    "inbox-no-answers": (
        "inbox/show.html",
        {**SHOWN, "messages": MESSAGES, "answers": {**ANSWERS, "proposals": [], "engine": None}},
    ),
    "inbox-answered": (
        "inbox/show.html",
        {
            **SHOWN,
            "mode": "thread",
            "messages": MESSAGES[::-1],
            "thread": GATE_COUNTERS,
            "answers": {**ANSWERS, "approval_id": TEAM},
        },
    ),
    "inbox-no-messages": ("inbox/show.html", {**SHOWN, "channel": {**CHANNEL, "unread": 0}}),
    "inbox-threads": (
        "inbox/show.html",
        {
            **SHOWN,
            "mode": "threads",
            "threads": [
                {
                    "url": f"/inbox/{SUPPORT}?thread={THREAD}",
                    "subject": subject,
                    "count": 4 if subject else 1,
                    "at": ago(1),
                    "sender": "Solveig Aune",
                    "opening": "The counters at gate 4 are dark again.",
                    "is_unread": True,
                }
                for subject in ("Gate counters", "")
            ],
        },
    ),
    "inbox-no-threads": ("inbox/show.html", {**SHOWN, "mode": "threads"}),
    "inbox-no-chat-threads": (
        "inbox/show.html",
        {**SHOWN, "mode": "threads", "channel": {**CHANNEL, "kind": "chat"}},
    ),
    "inbox-thread": (
        "inbox/show.html",
        {
            **SHOWN,
            "mode": "thread",
            "messages": MESSAGES[::-1],
            "thread": GATE_COUNTERS,
        },
    ),
    "inbox-found": ("inbox/show.html", FOUND),
    "inbox-not-found": ("inbox/show.html", {**SHOWN, "mode": "found", "q": "hyperloop"}),
    "inbox-wrong": ("inbox/show.html", {**SHOWN, "error": "q contains a NUL character."}),
    "inbox-stranger": (
        "inbox/show.html",
        {**SHOWN, "channel": {**CHANNEL, "is_member": False, "archived_at": ago(2)}},
    ),
    "channel-new": ("inbox/new.html", NEW),
    "channel-new-wrong": ("inbox/new.html", {**NEW, "errors": {"name": "name is empty."}}),
    "channel-settings": ("inbox/settings.html", SETTINGS),
    "channel-settings-wrong": (
        "inbox/settings.html",
        {**SETTINGS, "errors": {"hours": "No.", "holidays": "No date.", "timezone": "None."}},
    ),
    "channel-settings-archived": (
        "inbox/settings.html",
        {
            **SETTINGS,
            "channel": {**CHANNEL, "archived_at": ago(3)},
            "form": {**FORM, "keeps_hours": True},
            "members": [],
            "others": [],
        },
    ),
    "channel-settings-viewer": ("inbox/settings.html", {**SETTINGS, "user": VIEWER}),
    "inbox-no-mail": ("inbox/show.html", {**SHOWN, "mailbox": FAILING}),
    "inbox-no-mail-viewer": (
        "inbox/show.html",
        {**SHOWN, "mailbox": {**FAILING, "paused_at": ago(1)}, "user": VIEWER},
    ),
    "incoming": ("inbox/incoming.html", INCOMING),
    "incoming-empty": (
        "inbox/incoming.html",
        {**INCOMING, "mailbox": None, "hooks": [], "may_be_plain": True},
    ),
    "incoming-new": (
        "inbox/incoming.html",
        {**INCOMING, "mailbox": {**MAILBOX, "last_checked_at": None}},
    ),
    "incoming-failing": (
        "inbox/incoming.html",
        {
            **INCOMING,
            "mailbox": FAILING,
            "errors": {
                "host": "leads to a private network",
                "own_addresses": "No.",
                "since": "No.",
            },
        },
    ),
    "incoming-paused": (
        "inbox/incoming.html",
        {**INCOMING, "mailbox": {**FAILING, "paused_at": ago(1), "since": ago(40)}},
    ),
    "incoming-created": (
        "inbox/incoming.html",
        {
            **INCOMING,
            "channel": {**CHANNEL, "kind": "chat"},
            "mailbox": None,
            "created": {"url": "https://tidings.example/v1/hooks/messages/x", "secret": "whsec_x"},
        },
    ),
}
