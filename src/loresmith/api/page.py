"""The web page, as it was built into this package: what is sent for its own paths, and how long browsers keep it."""

import hashlib
from collections.abc import MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

BUILT: Final = Path(__file__).parent / "page"
"""Where `make page` puts it; it travels in the wheel."""
PRODUCT_PATHS: Final = ("/story/{job_id}", "/world/{world_id}", "/my-worlds")
PATHS: Final = ("/", *PRODUCT_PATHS, "/my-jobs", "/my-jobs/{job_id}", "/submit", "/submit/{job_type}")
"""The paths that the page itself has; frontend/src/app/routes.ts has the same."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_BASE: Final = b'="./'
"""How the build begins addresses of its own files: `vite build` with a relative base."""
_PRODUCT: Final = b'name="product" content="yes"'
"""How the build says that worlds are made here: a page without them begins with a form."""
_HTML: Final = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
_UNCHANGING: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOT_BUILT: Final = (
    "LoreSmith runs, but its web page is not built: `make page` builds it, with Node.js 20.19 or newer.\n"
    "The API is there without it; /docs describes it.\n"
)


class Page:
    """The files of a built page, or the news that there are none; without `product`, a page that makes no worlds."""

    def __init__(self, built: Path = BUILT, *, product: bool = True) -> None:
        self._product = product
        self._index = built / "index.html"
        self._files = StaticFiles(directory=built, check_dir=False)
        self.assets = _Assets(directory=built / "assets", check_dir=False)
        self.assets.config_checked = True  # where the page is not built its files are missing: 404, no error

    def has(self, path: str) -> bool:
        """Return whether the page has the path of a route."""
        return self._product or path not in PRODUCT_PATHS

    def document(self, *, prefix: str, if_none_match: str) -> Response:
        """Return the page itself, whatever its path: what is shown there is found out in the browser.

        Its files are below the path prefix under which the browser sees this server.
        """
        try:
            body, tag = _document(self._index, self._index.stat().st_mtime_ns, prefix, product=self._product)
        except OSError:
            return PlainTextResponse(_NOT_BUILT, 503)
        if tag in [one.strip().removeprefix("W/") for one in if_none_match.split(",")]:
            return Response(None, 304, {**_HTML, "ETag": tag})
        return HTMLResponse(body, 200, {**_HTML, "ETag": tag})

    async def icon(self, scope: MutableMapping[str, Any]) -> Response:
        """Return the icon. Raises HTTPException where the page is not built."""
        answer = await self._files.get_response("icon.svg", scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


@lru_cache(maxsize=16)
def _document(
    index: Path,
    changed_ns: int,  # noqa: ARG001 - a key of the cache
    prefix: str,
    *,
    product: bool,
) -> tuple[bytes, str]:
    """Return the page below a prefix, and its ETag; read again when the file has changed."""
    body = index.read_bytes().replace(_BASE, f'="{prefix}/'.encode())
    if not product:
        body = body.replace(_PRODUCT, _PRODUCT.replace(b"yes", b"no"))
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class _Assets(StaticFiles):
    """Files whose names change with what is in them."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers.update(_UNCHANGING)
        return answer
