"""Real packages, checked for what flushlint says of them: `python -m tests.primer --help`.

`packages.toml` names them, `findings.md` holds what was found and whether it is true. They are
downloaded and unpacked, never installed and never run.
"""
