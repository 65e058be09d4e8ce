"""The page's files, read once at the start: compressed, with an ETag from their content, so that a reload costs a 304."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).parent / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class PageFile:
    kind: str
    plain: bytes
    packed: bytes
    etag: str

    def answer(self, request: web.Request) -> web.Response:
        headers = {"ETag": f'"{self.etag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if f'"{self.etag}"' in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=self.packed, content_type=self.kind, charset="utf-8", headers=headers | {"Content-Encoding": "gzip"})
        return web.Response(body=self.plain, content_type=self.kind, charset="utf-8", headers=headers)


def read_files(title: str, vendor: Path) -> dict[str, PageFile]:
    """Path in the URL -> file. `vendor`: folder of lightweight-charts.js; without it the page shows tables in place of charts."""
    found = {f"/page/{path.name}": path.read_bytes() for path in sorted(PAGE.iterdir()) if path.suffix in TYPES}
    found["/"] = found.pop("/page/index.html").replace(b"TITLE", _escaped(title).encode())
    charts = vendor / "lightweight-charts.js"
    if charts.is_file():
        found["/page/lightweight-charts.js"] = charts.read_bytes()
    return {path: _file(path, data) for path, data in found.items()}


def _file(path: str, data: bytes) -> PageFile:
    kind = TYPES[Path(path).suffix or ".html"]
    return PageFile(kind, data, gzip.compress(data, 9, mtime=0), hashlib.sha256(data).hexdigest()[:20])


def _escaped(text: str) -> str:
    return "".join(f"&#{ord(one)};" if one in "<>&\"'" else one for one in text)
