"""`tidings doctor`: is everything there that a deployment needs?"""

import sys

from rich.console import Console
from rich.text import Text

from tidings.cli.doctor.examine import examine
from tidings.cli.doctor.finding import Finding
from tidings.cli.output import Json, plain, print_json
from tidings.cli.session import Organization, ending_on_sigterm

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


async def doctor(*, organization: Organization = None, json: Json = False) -> int:
    """Check everything that a deployment needs, and say what to do; exit code 1 on a failure.

    Example: tidings doctor --json
    """
    findings: list[Finding] = []
    with ending_on_sigterm():
        async for finding in examine(organization):
            findings.append(finding)
            if not json:
                _show(finding)
    if json:
        print_json(findings)
    return 1 if any(finding.status == "fail" for finding in findings) else 0


def _show(finding: Finding) -> None:
    if not sys.stdout.isatty():
        cells = (finding.status, finding.check, finding.detail, finding.advice)
        print("\t".join(map(plain, cells)).rstrip("\t"), flush=True)
        return
    line = Text(f"{finding.status:<5}", style=_STYLES[finding.status])
    line.append(f"{plain(finding.check):<15}", style="bold")
    line.append(plain(finding.detail), style="default")
    if finding.advice:
        line.append(f"\n{'':<20}→ {plain(finding.advice)}", style="default")
    Console().print(line, soft_wrap=True)
