"""To whom an answer goes in a channel, and under which subject."""

from tidings.approvals.draft import Channel
from tidings.replies.template import one_line


def recipient_of(
    kind: Channel, sender_id: str, sender_email: str | None, answer_to: str | None = None
) -> str:
    """Where a sender is answered: in email where they want it (Reply-To), else their mail address
    where it is known, else their id."""
    return ((answer_to or sender_email) if kind == "email" else None) or sender_id


def subject_of(kind: Channel, subject: str) -> str:
    """The subject of an answer: in email what it answers, elsewhere there is none."""
    if kind != "email":
        return ""
    subject = one_line(subject)
    if subject.casefold().startswith("re:"):
        return subject
    return f"Re: {subject}"[:500].strip() if subject else "Re: your message"


def is_elsewhere(to: str, sender_email: str | None) -> bool:
    """Whether an answer goes to an address of another domain than it answers: no rule sends one."""
    domains = [address.rpartition("@")[2].casefold() for address in (to, sender_email or to)]
    return "@" in to and domains[0] != domains[1]
