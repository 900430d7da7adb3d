"""Every route against everybody who must not get through; a new route fails until it is told."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from tidings.brainstorm.operations import OPERATIONS
from tidings.web.auth import SESSION_COOKIE
from web.house import JSON, Browser, House, Team, meeting, problem

from factories.channels import add_messages, make_channel
from factories.said import said

Route = tuple[str, str]

PUBLIC: set[Route] = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/link/{token:str}"),
    ("POST", "/sign-in/link/{token:str}"),
    ("POST", "/v1/hooks/fathom/{token:str}"),
    ("POST", "/v1/hooks/messages/{token:str}"),
    ("GET", "/unsubscribe/{token:str}"),
    ("POST", "/unsubscribe/{token:str}"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/schema"),
    ("GET", "/schema/{path:str}"),
    ("GET", "/schema/openapi.json"),
    ("GET", "/static/{file_path:path}"),
    ("HEAD", "/static/{file_path:path}"),
}
"""Open to everybody: they say nothing of any organization."""

API: dict[Route, dict[str, Any]] = {
    ("POST", "/v1/engagement-summary"): {"json": {"domain": "a.example"}, "writes": True},
    ("GET", "/v1/engagement-status"): {"query": "?domain={domain}&run_id={run}", "empty": []},
    ("GET", "/v1/companies"): {"empty_items": True},
    ("GET", "/v1/companies/{domain:str}"): {"foreign": True},
    ("GET", "/v1/companies/{domain:str}/summaries/{run_id:uuid}"): {"foreign": True},
    ("GET", "/v1/companies/{domain:str}/summaries/{run_id:uuid}/markdown"): {"foreign": True},
    ("GET", "/v1/meetings"): {"empty_items": True},
    ("POST", "/v1/meetings"): {"json": {"items": []}, "writes": True},
    ("GET", "/v1/meetings/{meeting_id:uuid}"): {"foreign": True},
    ("DELETE", "/v1/meetings/{meeting_id:uuid}"): {"foreign": True, "writes": True},
    ("GET", "/v1/channels"): {"empty_items": True},
    ("POST", "/v1/channels"): {"json": {"name": "x", "kind": "chat"}, "writes": True},
    ("GET", "/v1/channels/{channel_id:uuid}"): {"foreign": True},
    ("PATCH", "/v1/channels/{channel_id:uuid}"): {
        "json": {"name": "x"},
        "foreign": True,
        "writes": True,
    },
    ("DELETE", "/v1/channels/{channel_id:uuid}"): {"foreign": True, "writes": True},
    ("GET", "/v1/channels/{channel_id:uuid}/members"): {"foreign": True},
    ("POST", "/v1/channels/{channel_id:uuid}/members"): {
        "json": {"user_id": "0199f0aa-1111-7000-8000-000000000001"},
        "foreign": True,
        "writes": True,
    },
    ("DELETE", "/v1/channels/{channel_id:uuid}/members/{user_id:uuid}"): {
        "foreign": True,
        "writes": True,
    },
    ("POST", "/v1/channels/{channel_id:uuid}/read"): {
        "json": {"position": 1},
        "foreign": True,
        "writes": True,
        "own": True,
    },
    ("GET", "/v1/channels/{channel_id:uuid}/hooks"): {"foreign": True, "admin": True},
    ("POST", "/v1/channels/{channel_id:uuid}/hooks"): {
        "json": {"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        "foreign": True,
        "writes": True,
        "admin": True,
    },
    ("DELETE", "/v1/channels/{channel_id:uuid}/hooks/{hook_id:uuid}"): {
        "foreign": True,
        "writes": True,
        "admin": True,
    },
    ("GET", "/v1/channels/{channel_id:uuid}/mailbox"): {"foreign": True, "admin": True},
    ("PUT", "/v1/channels/{channel_id:uuid}/mailbox"): {
        "json": {"host": "imap.example", "user": "x", "password": "x"},
        "foreign": True,
        "writes": True,
        "admin": True,
    },
    ("DELETE", "/v1/channels/{channel_id:uuid}/mailbox"): {
        "foreign": True,
        "writes": True,
        "admin": True,
    },
    ("POST", "/v1/channels/{channel_id:uuid}/mailbox/check"): {
        "foreign": True,
        "writes": True,
        "admin": True,
    },
    ("POST", "/v1/channels/{channel_id:uuid}/messages"): {
        "json": {"items": []},
        "foreign": True,
        "writes": True,
    },
    ("GET", "/v1/channels/{channel_id:uuid}/messages"): {"foreign": True},
    ("GET", "/v1/channels/{channel_id:uuid}/threads"): {"foreign": True},
    ("GET", "/v1/threads/{thread_id:uuid}"): {"foreign": True},
    ("GET", "/v1/messages/search"): {"query": "?q=private", "empty_items": True},
    ("GET", "/v1/messages/{message_id:uuid}"): {"foreign": True},
    ("GET", "/v1/auto-responses"): {"empty": {"items": []}},
    ("POST", "/v1/auto-responses"): {
        "json": {"name": "x", "response_template": "x"},
        "writes": True,
    },
    ("GET", "/v1/auto-responses/{rule_id:uuid}"): {"foreign": True, "personal": True},
    ("PUT", "/v1/auto-responses/{rule_id:uuid}"): {
        "json": {"name": "x", "response_template": "x"},
        "foreign": True,
        "writes": True,
    },
    ("DELETE", "/v1/auto-responses/{rule_id:uuid}"): {"foreign": True, "writes": True},
    ("POST", "/v1/auto-responses/reorder"): {"json": {"ids": []}, "writes": True},
    ("POST", "/v1/auto-responses/test"): {
        "json": {"message": {"body": "x"}},
        "writes": True,
    },
    ("GET", "/v1/auto-responses/log"): {"empty_items": True},
    ("GET", "/v1/auto-responses/analytics"): {},
    ("POST", "/v1/messages/{message_id:uuid}/smart-replies"): {"foreign": True, "writes": True},
    ("GET", "/v1/runs"): {"empty_items": True},
    ("GET", "/v1/runs/{run_id:uuid}"): {"foreign": True},
    ("GET", "/v1/runs/{run_id:uuid}/events"): {"foreign": True},
    ("POST", "/v1/runs/{run_id:uuid}/cancel"): {"foreign": True, "writes": True},
    ("GET", "/v1/jobs"): {"empty_items": True, "admin": True},
    ("GET", "/v1/jobs-stats"): {"admin": True},
    ("GET", "/v1/jobs/{job_id:uuid}"): {"foreign": True, "admin": True},
    ("POST", "/v1/jobs/{job_id:uuid}/cancel"): {"foreign": True, "writes": True, "admin": True},
    ("POST", "/v1/jobs/{job_id:uuid}/retry"): {"foreign": True, "writes": True, "admin": True},
    ("GET", "/v1/brainstorms"): {"empty_items": True},
    ("POST", "/v1/brainstorms"): {"json": {"topic": "x"}, "writes": True},
    ("GET", "/v1/brainstorms/{session_id:uuid}"): {"foreign": True},
    ("PATCH", "/v1/brainstorms/{session_id:uuid}"): {
        "json": {"topic": "x"},
        "foreign": True,
        "writes": True,
    },
    ("DELETE", "/v1/brainstorms/{session_id:uuid}"): {"foreign": True, "writes": True},
    ("PUT", "/v1/brainstorms/{session_id:uuid}/collaborators/{user_id:uuid}"): {
        "json": {"role": "editor"},
        "foreign": True,
        "writes": True,
    },
    ("DELETE", "/v1/brainstorms/{session_id:uuid}/collaborators/{user_id:uuid}"): {
        "foreign": True,
        "writes": True,
    },
    ("POST", "/v1/brainstorms/{session_id:uuid}/ideas"): {
        "json": {"text": "x"},
        "foreign": True,
        "writes": True,
    },
    ("PATCH", "/v1/brainstorms/{session_id:uuid}/ideas/{idea_id:uuid}"): {
        "json": {"text": "x"},
        "foreign": True,
        "writes": True,
    },
    ("DELETE", "/v1/brainstorms/{session_id:uuid}/ideas/{idea_id:uuid}"): {
        "foreign": True,
        "writes": True,
    },
    ("POST", "/v1/brainstorms/{session_id:uuid}/deleted/{subject_id:uuid}/restore"): {
        "foreign": True,
        "writes": True,
    },
    ("POST", "/v1/brainstorms/{session_id:uuid}/results/{result_id:uuid}/ideas"): {
        "json": {"items": [0]},
        "foreign": True,
        "writes": True,
    },
    ("PUT", "/v1/brainstorms/{session_id:uuid}/ideas/{idea_id:uuid}/vote"): {
        "foreign": True,
        "writes": True,
    },
    ("DELETE", "/v1/brainstorms/{session_id:uuid}/ideas/{idea_id:uuid}/vote"): {
        "foreign": True,
        "writes": True,
    },
    ("POST", "/v1/brainstorms/{session_id:uuid}/clusters"): {
        "json": {"name": "x"},
        "foreign": True,
        "writes": True,
    },
    ("PATCH", "/v1/brainstorms/{session_id:uuid}/clusters/{cluster_id:uuid}"): {
        "json": {"name": "x"},
        "foreign": True,
        "writes": True,
    },
    ("DELETE", "/v1/brainstorms/{session_id:uuid}/clusters/{cluster_id:uuid}"): {
        "foreign": True,
        "writes": True,
    },
    **{
        ("POST", f"/v1/brainstorms/{{session_id:uuid}}/{operation}"): {
            "json": {},
            "foreign": True,
            "writes": True,
        }
        for operation in OPERATIONS
    },
    **{
        ("GET", f"/v1/brainstorms/{{session_id:uuid}}/{part}"): {"foreign": True}
        for part in ("results", "results/{result_id:uuid}", "operations", "analytics", "export")
    },
    ("GET", "/v1/kv/{key:str}"): {"foreign": True},
    ("PUT", "/v1/kv/{key:str}"): {"json": {"value": 1}, "writes": True},
    ("DELETE", "/v1/kv/{key:str}"): {"writes": True},
    ("GET", "/v1/kv"): {"empty_items": True},
    ("POST", "/v1/kv-batch"): {"json": {"operations": []}, "writes": True},
    ("GET", "/v1/kv-watch"): {"streams": True},
    ("GET", "/v1/debug/kv"): {"admin": True},
    ("GET", "/v1/realtime"): {"query": "?topics=room:a", "streams": True},
    ("POST", "/v1/realtime/broadcast"): {"json": {"topic": "room:a", "event": "n"}, "writes": True},
    ("GET", "/v1/api-keys"): {},
    ("POST", "/v1/api-keys"): {"json": {"name": "x"}, "writes": True, "own": True},
    ("DELETE", "/v1/api-keys/{key_id:uuid}"): {"foreign": True, "writes": True, "own": True},
    ("GET", "/v1/ai/settings"): {"admin": True},
    ("PUT", "/v1/ai/settings"): {"json": {"redaction": True}, "writes": True, "admin": True},
    ("GET", "/v1/ai/budgets"): {},
    ("PUT", "/v1/ai/budgets/{period:str}"): {
        "json": {"amount": "1"},
        "writes": True,
        "admin": True,
    },
    ("GET", "/v1/ai/usage"): {"empty_items": True},
    ("GET", "/v1/ai/usage-totals"): {},
    ("GET", "/v1/ai/egress"): {"admin": True},
    ("GET", "/v1/channels/{channel_id:uuid}/intelligence"): {"foreign": True},
    ("GET", "/v1/channels/{channel_id:uuid}/sentiment-history"): {"foreign": True},
    ("GET", "/v1/channels/{channel_id:uuid}/topics"): {"foreign": True},
    ("POST", "/v1/channels/{channel_id:uuid}/analyze"): {"foreign": True, "writes": True},
    ("GET", "/v1/intelligence"): {
        "empty": {"worst_sentiment": [], "fastest_declining": [], "oldest_unanswered": []}
    },
    ("GET", "/v1/summaries"): {"empty_items": True},
    ("POST", "/v1/summaries"): {"json": {"type": "daily_digest"}, "writes": True},
    ("GET", "/v1/summaries/schedule"): {},
    ("PUT", "/v1/summaries/schedule"): {
        "json": {"hour": None, "timezone": "UTC"},
        "writes": True,
        "own": True,
    },
    ("GET", "/v1/summaries/{summary_id:uuid}"): {"foreign": True},
    ("GET", "/v1/summaries/{summary_id:uuid}/export"): {"foreign": True},
    ("GET", "/v1/approvals"): {"empty_items": True},
    ("POST", "/v1/approvals"): {
        "json": {"type": "message", "channel": "chat", "to": "bo", "content": "Hello"},
        "writes": True,
    },
    ("GET", "/v1/approvals/{approval_id:uuid}"): {"foreign": True},
    ("PATCH", "/v1/approvals/{approval_id:uuid}"): {
        "json": {"content": "Changed"},
        "foreign": True,
        "writes": True,
    },
    ("POST", "/v1/approvals/{approval_id:uuid}/{action:str}"): {"foreign": True, "writes": True},
    ("POST", "/v1/approvals/{approval_id:uuid}/reject"): {
        "json": {"reason": "no"},
        "foreign": True,
        "writes": True,
    },
    ("POST", "/v1/approvals/batch"): {
        "json": {"decision": "approve", "ids": ["0199f0aa-1111-7000-8000-000000000001"]},
        "writes": True,
    },
    ("GET", "/v1/send-policy"): {},
    ("PUT", "/v1/send-policy"): {"json": {"daily_cap": 9}, "writes": True, "admin": True},
    ("GET", "/v1/do-not-contact"): {"empty_items": True},
    ("POST", "/v1/do-not-contact"): {
        "json": {"kind": "handle", "value": "eve"},
        "writes": True,
    },
    ("DELETE", "/v1/do-not-contact/{kind:str}"): {
        "query": "?value=theirs.example",
        "foreign": True,
        "writes": True,
        "admin": True,
    },
    ("GET", "/v1/send-gateways"): {"admin": True, "empty": {"items": []}},
    ("PUT", "/v1/send-gateways/{channel:str}"): {
        "json": {"url": "https://gateway.example/x"},
        "writes": True,
        "admin": True,
    },
    ("DELETE", "/v1/send-gateways/{channel:str}"): {"writes": True, "admin": True},
    ("GET", "/v1/organization"): {},
    ("PATCH", "/v1/organization"): {"json": {"name": "x"}, "writes": True, "admin": True},
    ("GET", "/v1/members"): {},
    ("POST", "/v1/members"): {
        "json": {"email": "new@example.com"},
        "writes": True,
        "admin": True,
    },
    ("PATCH", "/v1/members/{user_id:uuid}"): {
        "json": {"role": "viewer"},
        "foreign": True,
        "writes": True,
        "admin": True,
    },
    ("DELETE", "/v1/members/{user_id:uuid}"): {"foreign": True, "writes": True, "admin": True},
    ("GET", "/v1/members/{user_id:uuid}/export"): {"foreign": True},
    ("GET", "/v1/sessions"): {"empty": {"items": []}},
    ("DELETE", "/v1/sessions/{web_session_id:uuid}"): {
        "foreign": True,
        "writes": True,
        "own": True,
    },
    ("GET", "/v1/audit-log"): {"query": "?target=user:{user_id}", "admin": True},
    ("GET", "/v1/audit-log/verification"): {"admin": True},
    ("DELETE", "/v1/secrets/{name:str}"): {"foreign": True, "writes": True, "admin": True},
    ("POST", "/v1/send-gateways/{channel:str}/test"): {"writes": True, "admin": True},
    ("GET", "/v1/hooks"): {"admin": True, "empty": []},
    ("POST", "/v1/hooks"): {"json": {"signing_secret": "whsec_x"}, "writes": True, "admin": True},
    ("DELETE", "/v1/hooks/{hook_id:uuid}"): {"foreign": True, "writes": True, "admin": True},
    ("POST", "/v1/secrets"): {
        "json": {"name": "openai_api_key", "value": "x"},
        "writes": True,
        "admin": True,
    },
    ("POST", "/older/engagement-summary"): {"json": {"domain": "a.example"}, "writes": True},
    ("GET", "/older/engagement-status"): {"query": "?domain={domain}&run_id={run}", "empty": []},
}

RULE_FORM = {
    "name": "x",
    "rule_type": "rule_based",
    "response_template": "x",
    "action": "draft",
    "cooldown": "60",
    "keyword_mode": "words",
}

PAGES: dict[Route, dict[str, Any]] = {
    ("GET", "/"): {},
    ("POST", "/sign-out"): {"writes": True, "own": True},
    ("GET", "/companies"): {},
    ("POST", "/companies"): {"writes": True, "form": {"website": "a.example"}},
    ("GET", "/companies/{domain:str}"): {},
    ("POST", "/companies/{domain:str}/runs"): {"writes": True},
    ("POST", "/companies/{domain:str}/runs/{run_id:uuid}/cancel"): {
        "writes": True,
        "foreign": True,
    },
    ("POST", "/companies/{domain:str}/edition"): {
        "writes": True,
        "foreign": True,
        "form": {"run_id": "{run}", "version": "0"},
    },
    ("POST", "/companies/{domain:str}/edition/undo"): {"writes": True, "form": {"version": "1"}},
    ("GET", "/companies/{domain:str}/export"): {"foreign": True, "query": "?run_id={run}"},
    ("GET", "/brainstorms"): {},
    ("POST", "/brainstorms"): {"writes": True, "form": {"topic": "x", "framework": "scamper"}},
    ("GET", "/brainstorms/{session_id:uuid}"): {"foreign": True},
    ("GET", "/brainstorms/{session_id:uuid}/slides"): {"foreign": True},
    ("GET", "/brainstorms/{session_id:uuid}/export"): {"foreign": True},
    ("POST", "/brainstorms/{session_id:uuid}/ask"): {
        "writes": True,
        "foreign": True,
        "form": {"operation": "gaps"},
    },
    ("POST", "/brainstorms/{session_id:uuid}/answer"): {
        "writes": True,
        "foreign": True,
        "form": {"result_id": "{result_id}", "item": "0"},
    },
    ("POST", "/brainstorms/{session_id:uuid}/restore"): {
        "writes": True,
        "foreign": True,
        "form": {"subject_id": "{subject_id}"},
    },
    ("POST", "/brainstorms/{session_id:uuid}/ideas"): {
        "writes": True,
        "foreign": True,
        "form": {"text": "x"},
    },
    ("POST", "/brainstorms/{session_id:uuid}/idea"): {
        "writes": True,
        "foreign": True,
        "form": {"idea_id": "{idea_id}", "text": "x"},
    },
    ("POST", "/brainstorms/{session_id:uuid}/clusters"): {
        "writes": True,
        "foreign": True,
        "form": {"name": "x"},
    },
    ("POST", "/brainstorms/{session_id:uuid}/settings"): {
        "writes": True,
        "foreign": True,
        "form": {"topic": "x"},
    },
    ("POST", "/brainstorms/{session_id:uuid}/people"): {
        "writes": True,
        "foreign": True,
        "form": {"user_id": "{user_id}", "role": "editor"},
    },
    ("POST", "/brainstorms/{session_id:uuid}/delete"): {"writes": True, "foreign": True},
    ("GET", "/meetings"): {},
    ("GET", "/meetings/{meeting_id:uuid}"): {"foreign": True},
    ("GET", "/meetings/upload"): {},
    ("POST", "/meetings/upload"): {"writes": True},
    ("GET", "/inbox"): {},
    ("GET", "/inbox/new"): {},
    ("POST", "/inbox/new"): {
        "writes": True,
        "form": {"name": "x", "kind": "chat", "timezone": "UTC"},
    },
    ("GET", "/inbox/{channel_id:uuid}"): {"foreign": True},
    ("POST", "/inbox/{channel_id:uuid}/read"): {
        "writes": True,
        "own": True,
        "foreign": True,
        "form": {"position": "1"},
    },
    ("POST", "/inbox/{channel_id:uuid}/propose"): {
        "writes": True,
        "foreign": True,
        "form": {"message_id": "{message_id}"},
    },
    ("POST", "/inbox/{channel_id:uuid}/answer"): {
        "writes": True,
        "foreign": True,
        "form": {"message_id": "{message_id}", "content": "Hello"},
    },
    ("GET", "/inbox/{channel_id:uuid}/settings"): {"foreign": True},
    ("POST", "/inbox/{channel_id:uuid}/settings"): {
        "writes": True,
        "foreign": True,
        "form": {"name": "x", "kind": "chat", "timezone": "UTC"},
    },
    ("POST", "/inbox/{channel_id:uuid}/archive"): {"writes": True, "foreign": True},
    ("POST", "/inbox/{channel_id:uuid}/delete"): {"writes": True, "foreign": True},
    ("POST", "/inbox/{channel_id:uuid}/members"): {
        "writes": True,
        "foreign": True,
        "form": {"user_id": "{user_id}"},
    },
    ("POST", "/inbox/{channel_id:uuid}/members/{user_id:uuid}/remove"): {
        "writes": True,
        "foreign": True,
    },
    ("GET", "/inbox/{channel_id:uuid}/incoming"): {"foreign": True, "admin": True},
    ("POST", "/inbox/{channel_id:uuid}/incoming/mailbox"): {
        "writes": True,
        "foreign": True,
        "admin": True,
        "form": {"host": "imap.example", "user": "x", "password": "x", "tls": "implicit"},
    },
    ("POST", "/inbox/{channel_id:uuid}/incoming/check"): {
        "writes": True,
        "foreign": True,
        "admin": True,
    },
    ("POST", "/inbox/{channel_id:uuid}/incoming/mailbox/delete"): {
        "writes": True,
        "foreign": True,
        "admin": True,
    },
    ("POST", "/inbox/{channel_id:uuid}/incoming/hooks"): {
        "writes": True,
        "foreign": True,
        "admin": True,
    },
    ("POST", "/inbox/{channel_id:uuid}/incoming/hooks/{hook_id:uuid}/revoke"): {
        "writes": True,
        "foreign": True,
        "admin": True,
    },
    ("GET", "/channels/{channel_id:uuid}/intelligence"): {"foreign": True},
    ("POST", "/channels/{channel_id:uuid}/intelligence"): {"foreign": True, "writes": True},
    ("GET", "/intelligence"): {},
    ("GET", "/rules"): {},
    ("GET", "/rules/new"): {},
    ("POST", "/rules"): {"writes": True},
    ("GET", "/rules/{rule_id:uuid}"): {"foreign": True, "personal": True},
    ("POST", "/rules/{rule_id:uuid}"): {
        "writes": True,
        "foreign": True,
        "form": RULE_FORM | {"version": "1"},
    },
    ("POST", "/rules/{rule_id:uuid}/delete"): {"writes": True, "foreign": True},
    ("POST", "/rules/{rule_id:uuid}/switch"): {"writes": True, "foreign": True},
    ("POST", "/rules/{rule_id:uuid}/move"): {"writes": True, "foreign": True},
    ("POST", "/rules/order"): {"writes": True},
    ("POST", "/rules/try"): {"writes": True},
    ("GET", "/rules/log"): {},
    ("GET", "/rules/analytics"): {},
    ("GET", "/runs/{run_id:uuid}"): {"foreign": True},
    ("GET", "/summaries"): {},
    ("POST", "/summaries"): {"writes": True, "form": {"type": "daily_digest"}},
    ("POST", "/summaries/schedule"): {"writes": True, "own": True, "form": {"hour": "7"}},
    ("GET", "/summaries/{summary_id:uuid}"): {"foreign": True},
    ("GET", "/summaries/{summary_id:uuid}/export"): {"foreign": True},
    ("GET", "/summaries/runs/{summary_run:uuid}"): {"foreign": True, "leads": True},
    ("POST", "/summaries/runs/{summary_run:uuid}/cancel"): {"writes": True, "foreign": True},
    ("GET", "/jobs"): {"admin": True},
    ("GET", "/jobs/{job_id:uuid}"): {"foreign": True, "admin": True},
    ("POST", "/jobs/{job_id:uuid}/cancel"): {"foreign": True, "writes": True, "admin": True},
    ("POST", "/jobs/{job_id:uuid}/retry"): {"foreign": True, "writes": True, "admin": True},
    ("GET", "/kv"): {"admin": True},
    ("POST", "/kv/delete"): {"writes": True, "admin": True},
    ("POST", "/kv/delete-prefix"): {"writes": True, "admin": True},
    ("GET", "/settings/api-keys"): {},
    ("POST", "/settings/api-keys"): {"writes": True, "own": True},
    ("POST", "/settings/api-keys/{key_id:uuid}/revoke"): {
        "writes": True,
        "foreign": True,
        "own": True,
    },
    ("GET", "/settings/members"): {},
    ("POST", "/settings/members"): {
        "writes": True,
        "admin": True,
        "form": {"email": "new@example.com", "role": "viewer"},
    },
    ("POST", "/settings/members/{user_id:uuid}/role"): {
        "writes": True,
        "admin": True,
        "foreign": True,
        "form": {"role": "viewer"},
    },
    ("POST", "/settings/members/{user_id:uuid}/remove"): {
        "writes": True,
        "admin": True,
        "foreign": True,
    },
    ("GET", "/settings/organization"): {"admin": True},
    ("POST", "/settings/organization"): {
        "writes": True,
        "admin": True,
        "form": {"name": "x", "time_zone": "UTC"},
    },
    ("GET", "/settings/audit-log"): {"admin": True, "query": "?verify=1"},
    ("GET", "/settings/ai"): {"admin": True},
    ("POST", "/settings/ai"): {"writes": True, "admin": True},
    ("POST", "/settings/ai/budget"): {"writes": True, "admin": True},
    ("GET", "/approvals"): {},
    ("GET", "/approvals/{approval_id:uuid}"): {"foreign": True},
    ("POST", "/approvals/{approval_id:uuid}/edit"): {
        "writes": True,
        "foreign": True,
        "form": {"to": "bo", "content": "Changed"},
    },
    ("POST", "/approvals/{approval_id:uuid}/decide"): {"writes": True, "foreign": True},
    ("POST", "/approvals/{approval_id:uuid}/step"): {
        "writes": True,
        "foreign": True,
        "form": {"action": "cancel"},
    },
    ("POST", "/approvals/batch"): {
        "writes": True,
        "form": {"choice": "{approval_id}:1", "decision": "approve"},
    },
    ("GET", "/settings/sending"): {},
    ("POST", "/settings/sending"): {"writes": True, "admin": True},
    ("GET", "/settings/gateways"): {"admin": True},
    ("POST", "/settings/gateways"): {"writes": True, "admin": True},
    ("POST", "/settings/gateways/test"): {"writes": True, "admin": True},
    ("POST", "/settings/gateways/delete"): {"writes": True, "admin": True},
    ("POST", "/settings/do-not-contact"): {
        "writes": True,
        "form": {"kind": "handle", "value": "eve"},
    },
    ("POST", "/settings/do-not-contact/remove"): {
        "writes": True,
        "admin": True,
        "foreign": True,
        "form": {"kind": "domain", "value": "theirs.example"},
    },
    ("GET", "/settings/password"): {},
    ("POST", "/settings/password"): {"writes": True, "own": True},
    ("POST", "/settings/sessions/{web_session_id:uuid}/end"): {
        "writes": True,
        "own": True,
        "foreign": True,
    },
    ("POST", "/settings/sessions/end-others"): {"writes": True, "own": True},
}

SCOPES: dict[str, Callable[[str, bool], bool]] = {
    "read": lambda area, writes: area != "admin" and not writes,
    "write": lambda area, writes: area != "admin" and writes,
    "kv": lambda area, _: area == "kv",
    "meetings": lambda area, _: area == "meetings",
    "messages": lambda area, _: area == "messages",
    "engagement": lambda area, _: area == "engagement",
    "summaries": lambda area, _: area == "summaries",
    "approvals": lambda area, _: area == "approvals",
    "brainstorm": lambda area, _: area == "brainstorm",
    "admin": lambda area, _: area == "admin",
}


def _handlers(house: House) -> dict[Route, HTTPRouteHandler]:
    return {
        (method, route.path): handler
        for route in house.app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS"
    }


RUN_AREAS = {"engagement", "messages", "summaries", "brainstorm"}

_OF_ADMINS = {
    ("PATCH", "/v1/organization"),
    ("POST", "/v1/members"),
    ("PATCH", "/v1/members/{user_id:uuid}"),
    ("DELETE", "/v1/members/{user_id:uuid}"),
    ("GET", "/v1/members/{user_id:uuid}/export"),
    ("PUT", "/v1/send-policy"),
    ("DELETE", "/v1/do-not-contact/{kind:str}"),
}


_AREAS: dict[str, tuple[str, ...]] = {
    "kv": ("kv",),
    "meetings": ("meetings",),
    "messages": ("auto-responses", "channels", "intelligence", "messages", "threads"),
    "summaries": ("summaries",),
    "approvals": ("approvals", "send-policy", "do-not-contact"),
    "brainstorm": ("brainstorms",),
    "admin": (
        "audit-log",
        "debug",
        "hooks",
        "jobs",
        "secrets",
        "send-gateways",
        "ai/settings",
        "ai/budgets/",
        "ai/egress",
    ),
}


def _area(path: str, method: str) -> str:
    if (method, path) in _OF_ADMINS:
        return "admin"
    if path.startswith("/v1/channels") and path.partition("}")[2].startswith(
        ("/hooks", "/mailbox")
    ):
        return "admin"
    for area, starts in _AREAS.items():
        if path.startswith(tuple(f"/v1/{start}" for start in starts)):
            return area
    return "engagement"


class Theirs:
    """Things of another organization, by the names of path parameters."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def fill(self, text: str) -> str:
        for name, value in self._values.items():
            for kind in ("", ":str", ":uuid", ":path"):
                text = text.replace(f"{{{name}{kind}}}", value)
        assert "{" not in text, text
        return text


async def _things(house: House, team: Team) -> Theirs:
    """A summary, a meeting, a key, a hook and an entry of an organization."""
    api = await house.api(team)
    domain = f"d{team.organization_id.hex[-12:]}.example"
    run = await house.summarise(team, domain, "Our goal is to open a second site by spring.")
    assert run.status == "complete"
    meetings = (await api.get("/v1/meetings")).json()["items"]
    key = (await api.post("/v1/api-keys", json={"name": "theirs"})).json()
    hook = await api.post(
        "/v1/hooks", json={"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    )
    await api.put("/v1/kv/theirs", json={"value": "private"})
    await api.post("/v1/secrets", json={"name": "their_secret", "value": "private"})
    await house.browser(team)
    ((web_session,),) = await house.sql(
        "SELECT max(id::text) FROM tidings.sessions WHERE organization_id = %s",
        team.organization_id,
    )
    channel = (await api.post("/v1/channels", json={"name": "theirs", "kind": "chat"})).json()
    for role in ("admin", "member", "viewer"):
        member = {"user_id": str(team.people[role].tenant.user_id)}
        await api.post(f"/v1/channels/{channel['id']}/members", json=member)
    items = [said(1, "private"), said(2, reply_to="m1")]
    await api.post(f"/v1/channels/{channel['id']}/messages", json={"items": items})
    found = (await api.get(f"/v1/channels/{channel['id']}/messages")).json()["items"]
    rule = await api.post("/v1/auto-responses", json={"name": "x", "response_template": "theirs"})
    summary_id, summary_run = await _summary(house, team)
    drafted = {"type": "message", "channel": "chat", "to": "bo", "content": "second site by spring"}
    approval = await api.post("/v1/approvals", json=drafted)
    await api.post("/v1/do-not-contact", json={"kind": "domain", "value": "theirs.example"})
    board = await _board(house, api, team)
    return Theirs(
        {
            "domain": domain,
            "run": str(run.id),
            "run_id": str(run.id),
            "job_id": str(run.job_id),
            "meeting_id": meetings[0]["id"],
            "channel_id": channel["id"],
            "message_id": found[0]["id"],
            "thread_id": found[0]["thread_id"],
            "user_id": str(team.people["owner"].tenant.user_id),
            "key_id": key["id"],
            "hook_id": hook.json()["id"],
            "web_session_id": web_session,
            "name": "their_secret",
            "rule_id": rule.json()["id"],
            "approval_id": approval.json()["id"],
            "action": "approve",
            "kind": "domain",
            "channel": "slack",
            "key": "theirs",
            "period": "day",
            "summary_id": summary_id,
            "summary_run": summary_run,
            "token": "x" * 43,
            **board,
        }
    )


async def _summary(house: House, team: Team) -> tuple[str, str]:
    """A summary of a channel that everybody of the organization is a member of, and its run."""
    tenant = team.people["owner"].tenant
    channel_id = await make_channel(house.system.db, tenant)
    await house.sql(
        "INSERT INTO tidings.channel_members (organization_id, channel_id, user_id)"
        " SELECT organization_id, %s, user_id FROM tidings.organization_members"
        " WHERE organization_id = %s ON CONFLICT DO NOTHING",
        channel_id,
        team.organization_id,
    )
    spoken = [("Ada", "Our goal is to open a second site by spring.")]
    await add_messages(house.system.db, tenant, channel_id, spoken)
    asked = {"type": "channel", "reference": str(channel_id)}
    started = await (await house.api(team)).post("/v1/summaries", json=asked)
    run = await house.finish(team, UUID(started.json()["run_id"]))
    return run.result["summary_id"], str(run.id)


async def _board(house: House, api: httpx.AsyncClient, team: Team) -> dict[str, str]:
    """A board that everybody of the organization reads, with one of everything on it."""
    made = await api.post("/v1/brainstorms", json={"topic": "Open a second site by spring"})
    at = f"/v1/brainstorms/{made.json()['id']}"
    ideas = [
        (await api.post(f"{at}/ideas", json={"text": text})).json() for text in ("a b", "c d", "e")
    ]
    (await api.delete(f"{at}/ideas/{ideas[2]['id']}")).raise_for_status()
    cluster = (await api.post(f"{at}/clusters", json={"name": "One"})).json()
    for role in ("viewer", "member"):
        user_id = team.people[role].tenant.user_id
        shared = {"role": "editor" if role == "member" else "viewer"}
        (await api.put(f"{at}/collaborators/{user_id}", json=shared)).raise_for_status()
    asked = (await api.post(f"{at}/gaps", json={})).json()
    await house.finish(team, UUID(asked["run_id"]))
    return {
        "session_id": made.json()["id"],
        "idea_id": ideas[0]["id"],
        "subject_id": ideas[2]["id"],
        "cluster_id": cluster["id"],
        "user_id": str(team.people["viewer"].tenant.user_id),
        "result_id": asked["run_id"],
    }


Send = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


def _api_request(route: Route, rule: dict[str, Any], theirs: Theirs) -> Send:
    method, path = route
    address = theirs.fill(path) + theirs.fill(rule.get("query", ""))

    async def send(client: httpx.AsyncClient) -> httpx.Response:
        # A stream would not end in process: it is asked for its head alone.
        if rule.get("streams"):
            return await client.head(address)
        if "json" in rule:
            return await client.request(method, address, json=rule["json"])
        return await client.request(method, address)

    return send


def test_every_route_is_told(house: House) -> None:
    known = PUBLIC | set(API) | set(PAGES)
    assert set(_handlers(house)) == known
    assert not PUBLIC & set(API)
    assert not PUBLIC & set(PAGES)


def test_what_is_public_is_marked(house: House) -> None:
    for route, handler in _handlers(house).items():
        guards = set(handler.resolve_guards())
        if route in PUBLIC:
            assert handler.opt.get("public") or not guards, route
        else:
            assert not handler.opt.get("public"), route
            assert guards, route


async def test_api_without_a_credential(house: House) -> None:
    theirs = Theirs(dict.fromkeys(_NAMES, "0199f0aa-1111-7000-8000-000000000001"))
    revoked = await _revoked(house)
    for route, rule in API.items():
        send = _api_request(route, rule, theirs)
        heads = rule.get("streams")
        for client, code in (
            (house.client(), "credential_missing"),
            (house.client("tk_" + "x" * 43), "credential_invalid"),
            (house.client("sk-something"), "credential_invalid"),
            (house.client(revoked), "credential_invalid"),
            (house.client(cookie=f"{SESSION_COOKIE}={'x' * 43}"), "credential_invalid"),
        ):
            answer = await send(client)
            if heads:
                assert answer.status_code == 401, route
            else:
                problem(answer, 401, code)


_NAMES = (
    "domain",
    "run",
    "run_id",
    "job_id",
    "meeting_id",
    "channel_id",
    "message_id",
    "thread_id",
    "user_id",
    "key_id",
    "hook_id",
    "web_session_id",
    "name",
    "rule_id",
    "approval_id",
    "action",
    "kind",
    "channel",
    "key",
    "token",
    "period",
    "summary_id",
    "summary_run",
    "session_id",
    "idea_id",
    "subject_id",
    "cluster_id",
    "result_id",
)


async def _revoked(house: House) -> str:
    team = await house.team()
    key = await house.key(team)
    await house.sql(
        "UPDATE tidings.api_keys SET revoked_at = tidings.now() WHERE organization_id = %s",
        team.organization_id,
    )
    return key


async def test_api_roles(house: House, team: Team) -> None:
    theirs = await _things(house, team)
    viewer = await house.api(team, "viewer")
    member = await house.api(team, "member")
    for route, rule in API.items():
        send = _api_request(route, rule, theirs)
        forbidden = rule.get("admin") or (rule.get("writes") and not rule.get("own"))
        if forbidden:
            problem(await send(viewer), 403, "role_forbidden")
        elif rule.get("personal"):
            problem(await send(viewer), 404, "not_found")
        elif not rule.get("writes"):
            assert (await send(viewer)).status_code == 200, route
        if rule.get("admin"):
            problem(await send(member), 403, "role_forbidden")


async def test_api_of_another_organization(house: House, team: Team, other: Team) -> None:
    theirs = await _things(house, other)
    mine = await house.api(team)
    before = await _state(house, other)
    for route, rule in API.items():
        answer = await _api_request(route, rule, theirs)(mine)
        if rule.get("foreign"):
            problem(answer, 404, "not_found")
        if rule.get("empty_items"):
            assert answer.json() == {"items": [], "next_cursor": None}, route
        if "empty" in rule:
            assert answer.json() == rule["empty"], route
        await house.sql(  # what this organization may make of its own must not answer the next
            "DELETE FROM tidings.runs WHERE organization_id = %s", team.organization_id
        )
        await house.sql(
            "DELETE FROM tidings.kv_store WHERE organization_id = %s", team.organization_id
        )
    listed = (await mine.get("/v1/api-keys")).json()["items"]
    assert theirs.fill("{key_id}") not in {key["id"] for key in listed}
    assert await _state(house, other) == before


async def _state(house: House, team: Team) -> list[Any]:
    """What of an organization another one could have changed."""
    return await house.sql(
        "SELECT 'meeting', id::text, updated_at::text FROM tidings.meetings"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'run', id::text, status FROM tidings.runs WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'job', id::text, status FROM tidings.finished_jobs"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'kv', key, version::text FROM tidings.kv_store"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'key', id::text, revoked_at::text FROM tidings.api_keys"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'approval', id::text, version::text FROM tidings.approvals"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'unwanted', value, kind FROM tidings.do_not_contact"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'member', user_id::text, role FROM tidings.organization_members"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'session', id::text, revoked_at::text FROM tidings.sessions"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'secret', name, hint FROM tidings.organization_secrets"
        "  WHERE organization_id = %(o)s"
        " UNION ALL SELECT 'edition', domain, version::text FROM tidings.engagement_editions"
        "  WHERE organization_id = %(o)s ORDER BY 1, 2".replace("%(o)s", "%s"),
        *[team.organization_id] * 11,
    )


@pytest.mark.parametrize("scope", SCOPES)
async def test_api_scopes(house: House, team: Team, scope: str) -> None:
    theirs = Theirs(dict.fromkeys(_NAMES, "0199f0aa-1111-7000-8000-000000000001"))
    client = await house.api(team, "owner", scope)
    for route, rule in API.items():
        method, path = route
        writes = method not in ("GET", "HEAD")
        # A run is its kind's: here there is none, and any area that has runs is told so.
        areas = RUN_AREAS if path.startswith("/v1/runs") else {_area(path, method)}
        allowed = any(SCOPES[scope](area, writes) for area in areas)
        answer = await _api_request(route, rule, theirs)(client)
        if allowed:
            assert answer.status_code != 401, route
            if answer.status_code == 403:  # further in: a restricted key cannot make a wider one
                assert path == "/v1/api-keys", route
        elif rule.get("streams"):
            assert answer.status_code == 403
        else:
            problem(answer, 403, "role_forbidden")


async def test_pages_without_a_session(house: House, team: Team) -> None:
    theirs = Theirs(dict.fromkeys(_NAMES, "0199f0aa-1111-7000-8000-000000000001"))
    key = await house.key(team)
    for (method, path), rule in PAGES.items():
        address = theirs.fill(path) + theirs.fill(rule.get("query", ""))
        for client in (
            house.client(),
            house.client(key),
            house.client(cookie=f"{SESSION_COOKIE}={'x' * 43}"),
        ):
            answer = await client.request(method, address)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in"), path


async def _page(browser: Browser, route: Route, rule: dict[str, Any], theirs: Theirs) -> Any:
    method, path = route
    address = theirs.fill(path) + theirs.fill(rule.get("query", ""))
    if method == "GET":
        return await browser.get(address)
    form = {name: theirs.fill(value) for name, value in rule.get("form", {}).items()}
    return await browser.post(address, form)


async def test_pages_by_role(house: House, team: Team) -> None:
    theirs = await _things(house, team)
    for role in ("viewer", "member"):
        browser = await house.browser(team, role)
        for route, rule in PAGES.items():
            if route[1] == "/sign-out":
                continue
            answer = await _page(browser, route, rule, theirs)
            if rule.get("admin") or (
                role == "viewer" and rule.get("writes") and not rule.get("own")
            ):
                assert answer.status_code == 403, route
                assert "You may not see this" in answer.text
            elif route[0] == "GET":
                expected = 404 if rule.get("personal") else 303 if rule.get("leads") else 200
                assert answer.status_code == expected, route


async def test_pages_without_the_token(browser: Browser) -> None:
    theirs = Theirs(dict.fromkeys(_NAMES, "0199f0aa-1111-7000-8000-000000000001"))
    for (method, path), rule in PAGES.items():
        if rule.get("writes"):
            answer = await browser.client.request(method, theirs.fill(path))
            assert answer.status_code == 403, path
            assert "csrf_invalid" in answer.text, path


async def test_pages_of_another_organization(house: House, team: Team, other: Team) -> None:
    theirs = await _things(house, other)
    browser = await house.browser(team)
    before = await _state(house, other)
    for route, rule in PAGES.items():
        if route[1] == "/sign-out":
            continue
        answer = await _page(browser, route, rule, theirs)
        assert "second site by spring" not in answer.text, route
        if rule.get("foreign"):
            assert answer.status_code == 404, route
            assert "There is nothing here" in answer.text
    assert await _state(house, other) == before


async def test_the_hook_knows_only_its_token(house: House) -> None:
    answer = await house.client().post(
        "/v1/hooks/fathom/" + "x" * 43, json=meeting(1, "a.example"), headers=JSON
    )
    problem(answer, 404, "not_found")
