"""The tool's own log, on stderr: for people or as JSON lines, without secrets."""

from __future__ import annotations

import json
import logging
import re
import sys
import time

# Vault tokens (hvs., hvb., hvr., s.), AWS secret keys and session tokens as they stand in key=value or JSON text.
_TOKENS = re.compile(r"\b(?:hv[sbr]|s)\.[A-Za-z0-9_-]{20,}")
_KEYS = re.compile(r"(?i)(secret_?access_?key|session_?token|vault_?token)(\W{1,4})[A-Za-z0-9/+=._-]{8,}")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def set_up(verbosity: int, *, as_json: bool) -> None:
    """Send the log of this package to stderr.

    Args:
        verbosity: 0 shows warnings, 1 what is done, 2 how.
        as_json: One JSON object a line instead of text.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if as_json else _Text())
    logger = logging.getLogger("generator")
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel({0: logging.WARNING, 1: logging.INFO}.get(verbosity, logging.DEBUG))


def redacted(text: str) -> str:
    """Return the text with every token and secret key replaced."""
    return _KEYS.sub(r"\1\2[redacted]", _TOKENS.sub("[redacted]", text))


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _STANDARD}


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f" {key}={value}" for key, value in _extra(record).items())
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return redacted(f"{record.levelname.lower()}: {record.getMessage()}{extra}{trace}")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {
            "time": f"{stamp}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return redacted(json.dumps(entry, ensure_ascii=False, default=str))
