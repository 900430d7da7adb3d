"""To whom an answer goes in a channel, and under which subject."""

from tidings.approvals.draft import Channel
from tidings.replies.template import one_line


def recipient_of(kind: Channel, sender_id: str, sender_email: str | None) -> str:
    """The address of a sender: in email their mail address where it is known, else their id."""
    return (sender_email if kind == "email" else None) or sender_id


def subject_of(kind: Channel, subject: str) -> str:
    """The subject of an answer: in email what it answers, elsewhere there is none."""
    if kind != "email":
        return ""
    subject = one_line(subject)
    if subject.casefold().startswith("re:"):
        return subject
    return f"Re: {subject}"[:500].strip() if subject else "Re: your message"
