"""The cue tables, one module per kind, as data; `cues.py` compiles them."""
