"""What the accepting role is told: whom it believes, and what every request must show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network

from botkit.settings import Reader
from botkit.signing import MIN_KEY_LENGTH

from slanger.alert import NAME, NAME_FIX
from slanger.settings import QUEUE_NAMES, QueueSettings, read_address, read_queue, reader_of

Network = IPv4Network | IPv6Network

WAYS = ("signature", "client-certificate", "source-ip")
# TradingView's docs, "About webhooks".
TRADINGVIEW_IPS = "52.89.214.238,34.212.75.30,54.218.53.128,52.32.178.7"
# SQS forgets a deduplication id after 5 minutes (docs: "Using the message deduplication ID"): what is older could be stored twice.
LONGEST_WINDOW = 300

NAMES = (
    *QUEUE_NAMES,
    "SLANGER_SIGNING_KEY",
    "SLANGER_PREVIOUS_SIGNING_KEY",
    "SLANGER_AUTHENTICATION",
    "SLANGER_TRUSTED_PROXIES",
    "SLANGER_SOURCE_IP_HEADER",
    "SLANGER_SOURCE_IPS",
    "SLANGER_CLIENT_CERTIFICATE_HEADER",
    "SLANGER_CLIENT_CERTIFICATE_NAME",
    "SLANGER_REPLAY_WINDOW",
    "SLANGER_REVOKED_ALERTS",
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    queue: QueueSettings
    host: str
    port: int
    signing_keys: tuple[str, ...] = field(repr=False)
    """One, or two during a rotation."""
    ways: frozenset[str]
    """Of WAYS: all must pass."""
    trusted_proxies: tuple[Network, ...]
    """Peers whose forwarding headers are believed."""
    source_ip_header: bytes
    source_ips: tuple[Network, ...]
    client_certificate_header: bytes
    client_certificate_name: str
    replay_window: int
    """Seconds that an alert or a signed request may be old."""
    revoked: frozenset[str]


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises BadSettings."""
    reader = reader_of(environment, NAMES)
    host, port = read_address(reader)
    settings = Settings(
        queue=read_queue(reader),
        host=host,
        port=port,
        signing_keys=_signing_keys(reader),
        ways=_ways(reader),
        trusted_proxies=_networks(reader, "SLANGER_TRUSTED_PROXIES", ""),
        source_ip_header=_header(reader, "SLANGER_SOURCE_IP_HEADER", "x-forwarded-for"),
        source_ips=_networks(reader, "SLANGER_SOURCE_IPS", TRADINGVIEW_IPS),
        client_certificate_header=_header(reader, "SLANGER_CLIENT_CERTIFICATE_HEADER", "x-amzn-mtls-clientcert-subject"),
        client_certificate_name=reader.text(
            "SLANGER_CLIENT_CERTIFICATE_NAME", "use the certificate's common name", default="TradingView Webhooks"
        ),
        replay_window=reader.whole("SLANGER_REPLAY_WINDOW", 1, LONGEST_WINDOW, LONGEST_WINDOW),
        revoked=_revoked(reader),
    )
    if "client-certificate" in settings.ways and not settings.trusted_proxies:
        reader.mistake("SLANGER_AUTHENTICATION has client-certificate: set SLANGER_TRUSTED_PROXIES to the proxy that verifies it")
    if "source-ip" in settings.ways and not settings.source_ips:
        reader.mistake("SLANGER_SOURCE_IPS is empty: name the addresses that may send alerts")
    reader.finish()
    return settings


def _signing_keys(reader: Reader) -> tuple[str, ...]:
    fix = f"use a random key of at least {MIN_KEY_LENGTH} characters without spaces"
    pattern = rf"\S{{{MIN_KEY_LENGTH},}}"
    key = reader.secret("SLANGER_SIGNING_KEY", fix, pattern)
    previous = reader.secret("SLANGER_PREVIOUS_SIGNING_KEY", f"{fix}, or leave it out", pattern, optional=True)
    return tuple(one for one in (key, previous) if one)


def _ways(reader: Reader) -> frozenset[str]:
    ways = reader.items("SLANGER_AUTHENTICATION", "signature")
    if not ways or not set(ways) <= set(WAYS):
        reader.mistake(f"SLANGER_AUTHENTICATION={','.join(ways)!r}: use one or more of {', '.join(WAYS)}, with commas between")
    return frozenset(ways)


def _networks(reader: Reader, name: str, default: str) -> tuple[Network, ...]:
    networks = []
    for item in reader.items(name, default):
        try:
            network = ip_network(item)
        except ValueError:
            reader.mistake(f"{name}={item!r}: use IP addresses or CIDRs such as 10.0.0.0/16, with commas between")
            continue
        if network.prefixlen == 0:
            reader.mistake(f"{name}={item!r}: that is everybody; name those whom you trust")
        networks.append(network)
    return tuple(networks)


def _header(reader: Reader, name: str, default: str) -> bytes:
    return reader.text(name, "use the name of an HTTP header", r"[A-Za-z0-9-]{1,100}", default).lower().encode()


def _revoked(reader: Reader) -> frozenset[str]:
    names = reader.items("SLANGER_REVOKED_ALERTS")
    for name in names:
        if not NAME.fullmatch(name):
            reader.mistake(f"SLANGER_REVOKED_ALERTS={name!r}: {NAME_FIX}, with commas between")
    return frozenset(names)
