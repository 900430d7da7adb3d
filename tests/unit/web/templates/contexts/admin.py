"""What administrators see: KV, API keys, members."""

from unit.web.templates.contexts.shell import NOW, RUN, SHELL, Context, ago

KV_PREFIX = {
    "prefix": "engagement:",
    "keys": 41,
    "bytes": 812_345,
    "expiring": 37,
    "oldest_at": ago(7),
    "newest_at": NOW,
}


KEY = f"engagement:fjordvik.example:{RUN}"


KV: Context = {
    **SHELL,
    "prefix": "",
    "selected": None,
    "missing_key": None,
    "next_url": "/kv?cursor=x",
    "first_url": None,
    "stats": {
        "keys": 1543,
        "bytes": 1_812_345,
        "expiring": 37,
        "oldest_at": ago(90),
        "newest_at": NOW,
        "prefixes": [
            KV_PREFIX,
            {
                **KV_PREFIX,
                "prefix": "sync:",
                "keys": 1,
                "bytes": 80,
                "expiring": 0,
                "oldest_at": None,
                "newest_at": None,
            },
        ],
    },
    "entries": [
        {"key": KEY, "version": 14, "bytes": 20_480, "expires_at": ago(-7)},
        {"key": "a//b", "version": 1, "bytes": 2, "expires_at": None},
    ],
}


KEYS: Context = {
    **SHELL,
    "created": None,
    "form": {"name": "", "role": "", "days": "90"},
    "errors": {},
    "roles": ["viewer", "member", "admin"],
    "next_url": "/settings/api-keys?cursor=x",
    "first_url": None,
    "api_keys": [
        {
            "id": "k1",
            "name": "Nightly import",
            "prefix": "tk_4fZ1",
            "role": "member",
            "created_at": ago(30),
            "last_used_at": ago(1),
            "expires_at": ago(-60),
            "revoked_at": None,
        },
        {
            "id": "k2",
            "name": "Old laptop",
            "prefix": "tk_9Qa0",
            "role": "admin",
            "created_at": ago(300),
            "last_used_at": None,
            "expires_at": None,
            "revoked_at": ago(2),
        },
    ],
}


MEMBERS: Context = {
    **SHELL,
    "form": {"email": "", "name": "", "role": "member"},
    "errors": {},
    "roles": ["admin", "member", "viewer"],
    "next_url": None,
    "first_url": None,
    "members": [
        {
            "id": "u1",
            "name": "Ada Sorensen",
            "email": "ada@lindqvist.example",
            "role": "admin",
            "joined_at": ago(300),
            "is_you": True,
            "changeable": True,
        },
        {
            "id": "u2",
            "name": "Per Lindqvist",
            "email": "per@lindqvist.example",
            "role": "member",
            "joined_at": ago(100),
            "is_you": False,
            "changeable": True,
        },
        {
            "id": "u3",
            "name": "Eva Lindqvist",
            "email": "eva@lindqvist.example",
            "role": "owner",
            "joined_at": ago(400),
            "is_you": False,
            "changeable": False,
        },
    ],
}


ORGANIZATION: Context = {
    **SHELL,
    "settings": {"slug": "default", "created_at": ago(400)},
    "form": {"name": "Lindqvist", "time_zone": "Europe/Oslo"},
    "errors": {},
}


AUDIT: Context = {
    **SHELL,
    "entries": [
        {
            "at": NOW,
            "action": "member.role_changed",
            "target": "user:u2",
            "actor_kind": "person",
            "actor": "Ada Sorensen",
            "details": [("old_role", "viewer"), ("role", "member")],
            "seal": None,
        },
        {
            "at": ago(2),
            "action": "audit.erased",
            "target": "user:u9",
            "actor_kind": "service",
            "actor": None,
            "details": None,
            "seal": 3,
        },
    ],
    "target": "",
    "report": None,
    "head": "",
    "cursor": "x",
    "is_first": True,
}


PASSWORD: Context = {
    **SHELL,
    "errors": {},
    "sessions": [
        {
            "id": "s1",
            "method": "password",
            "created_at": ago(3),
            "last_seen_at": NOW,
            "user_agent": "Mozilla/5.0",
            "browser": "Firefox on Windows",
            "address": "192.0.2.1",
            "is_this": True,
        },
        {
            "id": "s2",
            "method": "link",
            "created_at": ago(30),
            "last_seen_at": ago(2),
            "user_agent": "",
            "browser": "unknown",
            "address": "",
            "is_this": False,
        },
    ],
}


PAGES: dict[str, tuple[str, Context]] = {
    "kv": ("kv/index.html", KV),
    "kv-value": (
        "kv/index.html",
        {
            **KV,
            "prefix": "engagement:",
            "selected": {
                **KV["entries"][0],
                "pretty": '{\n  "domain": "fjordvik.example",\n  "status": "complete"\n}',
            },
        },
    ),
    "kv-missing": (
        "kv/index.html",
        {**KV, "prefix": "none:", "missing_key": "none:1", "entries": []},
    ),
    "kv-empty": (
        "kv/index.html",
        {
            **KV,
            "stats": {
                "keys": 0,
                "bytes": 0,
                "expiring": 0,
                "oldest_at": None,
                "newest_at": None,
                "prefixes": [],
            },
            "entries": [],
            "next_url": None,
        },
    ),
    "api-keys": ("settings/api_keys.html", KEYS),
    "api-keys-new": (
        "settings/api_keys.html",
        {**KEYS, "created": {"name": "Nightly import", "secret": "tk_shown-once"}},
    ),
    "api-keys-none": (
        "settings/api_keys.html",
        {**KEYS, "api_keys": [], "errors": {"name": "Give it a name.", "role": "Not a role."}},
    ),
    "members": ("settings/members.html", MEMBERS),
    "password": ("settings/password.html", PASSWORD),
    "password-refused": (
        "settings/password.html",
        {**PASSWORD, "errors": {"current": "The current password is not right."}},
    ),
    "members-refused": (
        "settings/members.html",
        {
            **MEMBERS,
            "errors": {"email": "No.", "name": "No.", "role": "No."},
            "next_url": "/settings/members?cursor=x",
        },
    ),
    "members-viewer": ("settings/members.html", {**MEMBERS, "roles": []}),
    "organization": ("settings/organization.html", ORGANIZATION),
    "organization-refused": (
        "settings/organization.html",
        {**ORGANIZATION, "errors": {"name": "Give it one.", "time_zone": "No such zone."}},
    ),
    "audit": ("settings/audit_log.html", AUDIT),
    "audit-intact": (
        "settings/audit_log.html",
        {
            **AUDIT,
            "report": {"intact": True, "entries": 12, "seals": 3, "unsealed": 1},
            "head": "ab" * 32,
        },
    ),
    "audit-broken": (
        "settings/audit_log.html",
        {
            **AUDIT,
            "report": {"intact": False, "broken_at": 2, "problem": "a payload was changed"},
            "target": "user:u2",
            "is_first": False,
        },
    ),
    "audit-none": (
        "settings/audit_log.html",
        {**AUDIT, "entries": [], "target": "user:u8", "cursor": None},
    ),
    "members-none": ("settings/members.html", {**MEMBERS, "members": [], "organization": None}),
}
