"""Passwords, codes, keys and tokens in a text: what opens a door is told in another way than by message.

A word alone is none ("reset your password"), nor a number that opens nothing of the patient's
("the gate code", "the parking PIN"): what counts is a secret standing beside the word for it.
"""

from __future__ import annotations

import re

_SECRET = r"[\"“”'‘’(]?(?=\S*[\d!@#$%^&*])[^\s\"“”]{4,}"  # noqa: S105 - a pattern, no secret
"""At least four signs, one of which no ordinary word has."""
_STATES = r"\s*(?:is|are|was|will\ be|es|son|será|:|=|->|→|-)\s*(?:(?:now|ahora)\s+)?(?:set\ to\s+)?[:=]?\s*"

_WORD = r"(?:password|passcode|passphrase|passwd|(?<![?&])pwd|contrase[ñn]a)"
_PASSWORD = re.compile(
    rf"""
      \b{_WORD}\b (?:\s+(?:is|es))? \s* [:=] \s* \S
    | \b(?:{_WORD}|clave)\b {_STATES} {_SECRET}
    | \b{_WORD}\b \s+ (?:of\s+)? {_SECRET}
    | \b{_WORD}\s+ (?:is|es) \s+ ["“'‘] [^"”'’\n]{{3,40}} ["”'’]
    | \b(?:pw|pass)\s*[:=]\s*\S{{4,}}
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MEETING = re.compile(
    r"\b(?:zoom|webex|teams|meet(?:ing)?|video|telehealth|conference|videollamada|reunión)\b", re.IGNORECASE
)
_NEAR = 120
"""Signs before a passcode in which a meeting may be named: its passcode is made to be sent."""

_PIN = re.compile(
    rf"""
      \b(?:PIN|NIP|pin|nip|Pin|Nip)\b (?:\s*(?:code|number|no\.?|\#|número))? {_STATES} \d{{4,8}}\b
    | \b(?:PIN|NIP)\b (?:\s*(?:code|number|no\.?|\#))? \s* \d{{4,8}}\b
    """,
    re.VERBOSE,
)
_CODE = r"(?:\d{1,4}(?:[ -]?\d{1,4}){1,3}|(?=[A-Z0-9-]*\d)[A-Z0-9]{3,4}[ -]?[A-Z0-9]{1,6})\b"
_ONE_TIME = re.compile(
    rf"""
      \b(?:verification|security|log[ -]?in|sign[ -]?in|one[ -]time|authentication|authorization
        |2fa|mfa|two[ -]factor|recovery|reset|temporary|portal) \s+ (?:pass\s*code|pass\s*word|code|pin)s?
        (?:\s+(?:for|to)\s+(?:the\s+|your\s+)?\w+(?:\s\w+)?)? {_STATES} {_CODE}
    | \b(?:otp|totp)\b {_STATES} \d{{4,8}}\b
    | \b\d{{4,8}} \s+ (?:is|es) \s+ (?:your|su|tu) \s+ (?:\w+\s+){{0,3}}? (?:code|código|otp|passcode|pin)\b
    | \b(?:c[óo]digo|clave)\s+de\s+(?:verificaci[óo]n|seguridad|acceso|un\s+solo\s+uso) {_STATES} \d{{4,8}}\b
    | \b(?:recovery|backup)\s+codes?\b {_STATES} \S*\d\S*
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PAIR = re.compile(
    r"\b(?:credentials?|log[ -]?in|user ?name|user ?id|usuario)\b\s*(?:is|are|es|:|=)\s*\S{2,}\s*(?:/|\|)\s*\S{4,}",
    re.IGNORECASE,
)
_KEYS = re.compile(
    r"""
      \b(?:sk|pk|rk)_(?:live|test)_[0-9A-Za-z]{10,} | \bsk-[A-Za-z0-9_-]{20,}
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b | \bAIza[0-9A-Za-z_-]{30,} | \bya29\.[0-9A-Za-z_-]{20,}
    | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_[A-Za-z0-9_]{20,} | \bglpat-[A-Za-z0-9_-]{15,}
    | \bxox[abeprs]-[A-Za-z0-9-]{10,} | \bSG\.[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{15,} | \bnpm_[A-Za-z0-9]{30,}
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]* | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
    | \bssh-(?:rsa|ed25519)\ AAAA[A-Za-z0-9+/]{20,}
    | [a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@
    """,
    re.VERBOSE,
)
_NAMED_KEY = re.compile(
    r"""\b(?:api|access|secret|auth(?:orization)?|client|private|bearer|refresh|session)[ _-]?(?:key|token|secret)\b
      \s*(?:is|:|=)\s*["“']?(?=\S*\d)[A-Za-z0-9_+/.=-]{8,} | \bbearer\s+(?=\S*\d)[A-Za-z0-9_+/.=-]{16,}""",
    re.IGNORECASE | re.VERBOSE,
)


def names_a_credential(text: str) -> str | None:
    """What kind of credential stands in `text`, as "a password"; None where there is none."""
    if _KEYS.search(text) or _NAMED_KEY.search(text):
        return "a key or token"
    if _ONE_TIME.search(text):
        return "a one-time code"
    if any(not _of_a_meeting(text, found) for found in _PASSWORD.finditer(text)) or _PAIR.search(text):
        return "a password"
    return "a PIN" if _PIN.search(text) else None


def _of_a_meeting(text: str, found: re.Match[str]) -> bool:
    """Whether this is the passcode of a video visit, which is of no use but there."""
    said = found.group().casefold()
    return said.startswith("passcode") and bool(_MEETING.search(text[max(0, found.start() - _NEAR) : found.start()]))
