"""What comments and strings look like, for what reads source text without a parser."""

from __future__ import annotations

__all__ = ["COMMENT", "STRING", "STRING_OR_COMMENT"]

COMMENT = r"\#[^\r\n]*"
# From quote to quote, prefixes left out: a backslash keeps a quote from ending a raw string, too.
STRING = (
    r"\"\"\"[^\"\\]*(?:(?:\\.|\"(?!\"\"))[^\"\\]*)*\"\"\""
    r"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r"|\"[^\"\\\r\n]*(?:\\(?:\r\n|.)[^\"\\\r\n]*)*\""
    r"|'[^'\\\r\n]*(?:\\(?:\r\n|.)[^'\\\r\n]*)*'"
)
# To be compiled with DOTALL, for text or (encoded) for bytes.
STRING_OR_COMMENT = rf"(?P<comment>{COMMENT})|(?P<string>{STRING})"
