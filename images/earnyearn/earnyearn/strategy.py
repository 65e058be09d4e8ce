"""From bars to signals: a pure function of the bars since the open of the session before, so that a restart finds what it would have found.

Crosses as in freqtrade's `qtpylib`: above now, and not above one bar before.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from earnyearn.indicators import Macd, Rsi
from earnyearn.session import Session

MINUTE = timedelta(minutes=1)
# MACD's signal line has a value at the 34th bar: the first cross can be at the next one. RSI waits as long.
LEAST_BARS = 35
# How far apart the two crosses may be where both are asked for.
WITHIN_BARS = 25
RSI_LOW, RSI_HIGH = 30.0, 70.0
BUY, SELL = "buy", "sell"
MACD, RSI, BOTH = "macd", "rsi", "both"
# What becomes of a signal, as far as the bars tell.
SEND, COOLDOWN, LATE = "send", "cooldown", "late"
ID_TIME = "%Y%m%d%H%M"


@dataclass(frozen=True, kw_only=True)
class Rules:
    signals: str
    """macd, rsi or both."""
    sides: tuple[str, ...]
    cooldown: timedelta
    """Between two signals of a symbol, by the bars' time."""
    before_close: timedelta
    """No orders for bars that end within this time before the close."""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """Also the message on the channel, with its outcome."""

    id: str
    """earnyearn-<symbol>-<bar's end>-<side>."""
    symbol: str
    side: str
    reason: str
    """macd, rsi or macd+rsi."""
    at: str
    """End of the bar (RFC 3339, UTC)."""
    price: float
    """Close of the bar (USD)."""
    macd: float | None
    signal: float | None
    rsi: float | None
    verdict: str
    """send, cooldown or late."""
    account: str = ""
    outcome: str = ""
    """sent, stale, refused, unknown, cooldown or late; "" until it is known."""
    alert: str = ""
    """The alert's id at the webhook, part of its orders' ids; "" unless it was sent."""

    @property
    def end(self) -> datetime:
        return datetime.fromisoformat(self.at)


@dataclass(slots=True)
class State:
    """What is known of a symbol after its last bar."""

    macd: Macd = field(default_factory=Macd)
    rsi: Rsi = field(default_factory=Rsi)
    bars: int = 0
    last: datetime | None = None
    """Start of the last bar."""
    crossed: dict[tuple[str, str], int] = field(default_factory=dict)
    """(macd or rsi, side) -> number of the bar of its last cross in this session."""
    signalled: datetime | None = None
    """End of the bar of the last signal that is none of a cooldown."""


def step(state: State, rules: Rules, session: Session, symbol: str, start: datetime, close: float) -> Signal | None:
    """Adds a bar to `state`. Bars that were seen, that are outside of both sessions or have no price change nothing."""
    if not session.counts(start) or (state.last is not None and start <= state.last) or not (math.isfinite(close) and close > 0):
        return None
    line, signal, rsi = state.macd.line, state.macd.signal, state.rsi.value
    state.macd.add(close)
    state.rsi.add(close)
    state.bars += 1
    state.last = start
    if start < session.opens:
        return None
    sides = {
        MACD: _macd_side(line, signal, state.macd.line, state.macd.signal),
        RSI: _rsi_side(rsi, state.rsi.value) if state.bars >= LEAST_BARS else None,
    }
    side, reason = _found(state, rules.signals, sides)
    if side not in rules.sides:
        return None
    return _signal(state, rules, session, symbol, start + MINUTE, close, side, reason)


def _macd_side(line: float | None, signal: float | None, line_now: float | None, signal_now: float | None) -> str | None:
    if line is None or signal is None:
        return None
    if line <= signal and line_now > signal_now:
        return BUY
    return SELL if line >= signal and line_now < signal_now else None


def _rsi_side(before: float | None, now: float | None) -> str | None:
    if before is None or now is None:
        return None
    if before <= RSI_LOW < now:
        return BUY
    return SELL if before >= RSI_HIGH > now else None


def _found(state: State, signals: str, sides: Mapping[str, str | None]) -> tuple[str | None, str]:
    """(side, reason)."""
    if signals != BOTH:
        return sides[signals], signals
    for name, side in sides.items():
        if side:
            state.crossed[name, side] = state.bars
    # The later of the two crosses is at this bar. A falling RSI with a rising MACD is neither.
    for side in dict.fromkeys(side for side in sides.values() if side):
        bars = [state.crossed.get((name, side)) for name in sides]
        if None not in bars and max(bars) - min(bars) <= WITHIN_BARS:
            for name in sides:
                # A cross is half of one signal, not of several.
                del state.crossed[name, side]
            return side, f"{MACD}+{RSI}"
    return None, ""


def _signal(state: State, rules: Rules, session: Session, symbol: str, end: datetime, close: float, side: str, reason: str) -> Signal:
    verdict = SEND
    if end > session.closes - rules.before_close:
        verdict = LATE
    elif state.signalled is not None and end - state.signalled < rules.cooldown:
        verdict = COOLDOWN
    else:
        state.signalled = end
    end = end.astimezone(UTC)
    return Signal(
        id=f"{_prefix(symbol)}{end:{ID_TIME}}-{side}",
        symbol=symbol,
        side=side,
        reason=reason,
        at=f"{end:%Y-%m-%dT%H:%M:%SZ}",
        price=close,
        macd=state.macd.line,
        signal=state.macd.signal,
        rsi=state.rsi.value,
        verdict=verdict,
    )


def end_of(name: str, symbol: str) -> datetime | None:
    """End of the bar of the signal with this id; None where it is another symbol's."""
    time, _, side = name.removeprefix(_prefix(symbol)).partition("-")
    if not name.startswith(_prefix(symbol)) or side not in (BUY, SELL):
        return None
    try:
        return datetime.strptime(time, ID_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _prefix(symbol: str) -> str:
    return f"earnyearn-{symbol}-"
