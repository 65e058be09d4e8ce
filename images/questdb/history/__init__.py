"""Bars of the history store: what to send to write them, what to ask to read them at any interval, what the answers say.

Pure functions; bring any HTTP client. Write: POST `/write?precision=ms` with `lines(...)`. Read: GET `/exec?query=` with `select(...)`, then
`bars(answer)`. Both with the store's user and password (HTTP basic authentication).
"""

from .read import bars, select
from .write import Bar, lines

__all__ = ["Bar", "bars", "lines", "select"]
