"""Meetings out of files: WebVTT, SubRip, plain `Speaker: text`, and Fathom-shaped JSON."""

from tidings.meetings.formats.meeting import FileDefaults
from tidings.meetings.formats.read import read_file

__all__ = ["FileDefaults", "read_file"]
