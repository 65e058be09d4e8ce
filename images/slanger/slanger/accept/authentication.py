"""Who sent a request: a program that signs all of it, or an alert with every proof that the settings ask for."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from botkit import signing

from slanger.accept.refusal import Refused
from slanger.accept.settings import Network, Settings
from slanger.accept.subject import common_name

Address = IPv4Address | IPv6Address

# How far a sender's clock may be ahead.
FUTURE_SECONDS = 60
# With a clock that far ahead, a signed request ends before SQS forgets its deduplication id: it can't be sent again as another one.
REQUEST_SECONDS = 240
TIMESTAMP = signing.TIMESTAMP_HEADER.encode()
SIGNATURE = signing.SIGNATURE_HEADER.encode()
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Request:
    """What is looked at before the content."""

    path: str
    peer: str
    """Address of the TCP connection's other end."""
    headers: Iterable[tuple[bytes, bytes]]
    """Names in lower case."""

    def header(self, name: bytes) -> str | None:
        """A header's value. Refused if it is there twice: which one counts would be anybody's guess."""
        values = [value for key, value in self.headers if key == name]
        if len(values) > 1:
            raise Refused(400, f"{name.decode()} is there twice: send it once")
        return values[0].decode("latin-1") if values else None


def check_sender(settings: Settings, request: Request) -> list[str]:
    """Proofs that need no body: source address and client certificate, as far as they are asked for. Raises Refused (403)."""
    proofs = []
    if "source-ip" in settings.ways:
        if not _within(source_address(settings, request), settings.source_ips):
            raise Refused(403, "this address may not send alerts: add it to SLANGER_SOURCE_IPS, or sign the request")
        proofs.append("source-ip")
    if "client-certificate" in settings.ways:
        subject = request.header(settings.client_certificate_header) if _by_proxy(settings, request) else None
        if subject is None or common_name(subject) != settings.client_certificate_name:
            raise Refused(403, "there is no client certificate of the expected name: send alerts through the proxy that verifies it")
        proofs.append("client-certificate")
    return proofs


def request_timestamp(settings: Settings, request: Request, body: bytes, now: float) -> str | None:
    """Timestamp of a program's signed request; None if the request doesn't claim to be one. Raises Refused (401)."""
    timestamp, signature = request.header(TIMESTAMP), request.header(SIGNATURE)
    if timestamp is None and signature is None:
        return None
    # isdigit alone would let other scripts' digits pass.
    whole = timestamp is not None and timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    # A timestamp that is no number is signed with nothing: both cases cost the same and say the same.
    if not signing.request_is_signed(settings.signing_keys, request.path, timestamp or "", body, signature or "") or not whole:
        raise Refused(
            401, f"the request's signature is wrong: sign path, timestamp and body with the signing key ({signing.SIGNATURE_HEADER})"
        )
    check_age(signing.TIMESTAMP_HEADER, int(timestamp), now, min(settings.replay_window, REQUEST_SECONDS), 401)
    return timestamp


def check_signature(settings: Settings, alert: dict[str, Any], whole: bool) -> bool:
    """Whether the fixed part of an alert is signed. A wrong signature is Refused (401), and so is a missing one if the settings ask for it and
    the request is not signed as a `whole`."""
    fixed, signature = alert.get("alert"), alert.get("signature")
    if signature is None and (whole or "signature" not in settings.ways):
        return False
    named = isinstance(fixed, dict) and isinstance(fixed.get("account"), str) and isinstance(fixed.get("name"), str)
    hexadecimal = isinstance(signature, str) and _HEX.fullmatch(signature)
    if not named or not hexadecimal or not signing.alert_is_signed(settings.signing_keys, fixed, signature):
        raise Refused(401, "the alert's signature is missing or wrong: paste the whole text that python -m slanger alerts new prints")
    return True


def check_age(key: str, when: float, now: float, window: float, status: int) -> None:
    """Refused outside the replay window."""
    if when > now + FUTURE_SECONDS:
        raise Refused(status, f"{key} is {when - now:.0f} s in the future, {FUTURE_SECONDS} s are accepted: correct the sender's clock")
    if when < now - window:
        raise Refused(status, f"{key} is {now - when:.0f} s old, {window:g} s are accepted: send alerts when they fire ({{{{timenow}}}})")


def source_address(settings: Settings, request: Request) -> Address | None:
    """Where a request comes from: the last hop that a trusted proxy wrote, or the peer itself. None if it can't be told."""
    if not _by_proxy(settings, request):
        return _address(request.peer)
    # Everything further left came from the client. A missing header is no proof either: the proxy's own address is nobody's.
    return _address((request.header(settings.source_ip_header) or "").rpartition(",")[2])


def _by_proxy(settings: Settings, request: Request) -> bool:
    return _within(_address(request.peer), settings.trusted_proxies)


def _within(address: Address | None, networks: Iterable[Network]) -> bool:
    return address is not None and any(address in network for network in networks if network.version == address.version)


def _address(text: str) -> Address | None:
    """An address as it stands in headers: spaces around it, IPv6 in brackets or not, perhaps with a port."""
    text = text.strip()
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", text)
    try:
        address = ip_address(match[1] or match[2] if match else text)
    except ValueError:
        return None
    # An IPv4 peer of a socket that listens on IPv6 too.
    return getattr(address, "ipv4_mapped", None) or address
