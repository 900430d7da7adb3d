"""The child's side of `tidings up`: load, wait for the word to begin, end with the parent.

The parent holds the other end of our standard input. It sends a line when the database is there;
the kernel closes it when the parent dies, however that happens.
"""

import os
import signal
import sys
import threading


def begin_and_end_with_parent() -> None:
    """Wait for the parent's line; from then on SIGTERM ourselves once the parent is gone.

    Exits quietly when the parent ends before it says to begin.
    """
    if not os.read(0, 1024):
        sys.exit(0)

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
