"""Documents that are the same for every caller: rendered once a process, and sent again only where they changed."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from loresmith.api.deps import header_of
from loresmith.api.forwarded import prefix_of

_NO_CACHE: Final = {"Cache-Control": "no-cache"}


_PREFIXES_MAX: Final = 8
"""Path prefixes of proxies whose documents are kept at once."""


class Document:
    """One document for each path prefix; a thread renders it at the first request, so that the event loop goes on."""

    def __init__(self, render: Callable[[str], bytes], media_type: str, headers: Mapping[str, str] = _NO_CACHE) -> None:
        self._render = render
        self._media_type = media_type
        self._headers = headers
        self._renderings: dict[str, asyncio.Task[tuple[bytes, str]]] = {}

    async def answer(self, request: Request) -> Response:
        """Return the document, or 304 for a client that has it already."""
        body, tag = await self._rendered(prefix_of(request.scope))
        headers = {**self._headers, "ETag": tag}
        if _has(header_of(request, b"if-none-match"), tag):
            return Response(None, 304, headers)
        return Response(body, 200, headers, self._media_type)

    async def _rendered(self, prefix: str) -> tuple[bytes, str]:
        rendering = self._renderings.get(prefix)
        if rendering is None or (rendering.done() and rendering.exception() is not None):
            if len(self._renderings) >= _PREFIXES_MAX:
                del self._renderings[next(iter(self._renderings))]
            rendering = asyncio.create_task(asyncio.to_thread(self._with_tag, prefix), name="render a document")
            self._renderings[prefix] = rendering
        return await asyncio.shield(rendering)

    def _with_tag(self, prefix: str) -> tuple[bytes, str]:
        body = self._render(prefix)
        return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _has(if_none_match: str, tag: str) -> bool:
    """Compare weakly (RFC 9110, 13.1.2): a proxy that compresses makes a tag weak."""
    offered = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return tag in offered or "*" in offered
