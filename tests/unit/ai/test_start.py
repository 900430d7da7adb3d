"""What an installation without providers does not pay for at start."""

import subprocess
import sys

HEAVY = ("pydantic_ai", "openai", "anthropic", "genai_prices")


def test_the_gateway_loads_no_provider() -> None:
    script = f"import sys, tidings.ai.gateway; print([m for m in {HEAVY} if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
