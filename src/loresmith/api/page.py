"""The web page, as it was built into this package: what is sent for its own paths, and how long browsers keep it."""

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

BUILT: Final = Path(__file__).parent / "page"
"""Where `make page` puts it; it travels in the wheel."""
PATHS: Final = (
    "/",
    "/story/{job_id}",
    "/world/{world_id}",
    "/my-worlds",
    "/my-jobs",
    "/my-jobs/{job_id}",
    "/submit",
    "/submit/{job_type}",
)
"""The paths that the page itself has; frontend/src/app/routes.ts has the same."""
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML: Final = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
_UNCHANGING: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_NOT_BUILT: Final = (
    "LoreSmith runs, but its web page is not built: `make page` builds it, with Node.js 20.19 or newer.\n"
    "The API is there without it; /docs describes it.\n"
)


class Page:
    """The files of a built page, or the news that there are none."""

    def __init__(self, built: Path = BUILT) -> None:
        self._files = StaticFiles(directory=built, check_dir=False)
        self.assets = GZipMiddleware(_Assets(directory=built / "assets", check_dir=False))

    async def document(self, scope: MutableMapping[str, Any]) -> Response:
        """Return the page itself, whatever its path: what is shown there is found out in the browser."""
        return await self._file("index.html", scope, _HTML) or PlainTextResponse(_NOT_BUILT, 503)

    async def icon(self, scope: MutableMapping[str, Any]) -> Response:
        """Return the icon. Raises HTTPException where the page is not built."""
        answer = await self._file("icon.svg", scope, {"Cache-Control": "no-cache"})
        if answer is None:
            raise HTTPException(404)
        return answer

    async def _file(self, name: str, scope: MutableMapping[str, Any], headers: Mapping[str, str]) -> Response | None:
        try:
            answer = await self._files.get_response(name, scope)
        except HTTPException:
            return None
        answer.headers.update(headers)
        return answer


class _Assets(StaticFiles):
    """Files whose names change with what is in them."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers.update(_UNCHANGING)
        return answer
