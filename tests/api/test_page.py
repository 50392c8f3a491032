"""The web page is served beside the API, for its own paths only."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from loresmith.api.page import PATHS, Page
from tests.api.conftest import assert_problem, in_process

ROOT = Path(__file__).resolve().parents[2]
HTML = "<!doctype html><title>LoreSmith</title>"


@pytest.fixture
def built(app: FastAPI, tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(HTML)
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "index-0a1b.js").write_text("let a = 1;" * 200)
    page = Page(tmp_path)
    app.state.page = page
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/assets"]
    app.mount("/assets", page.assets)
    return tmp_path


@pytest.mark.parametrize("path", [path.format(job_id="1", world_id="2", job_type="x") for path in PATHS])
async def test_each_path_of_the_page_gets_the_page(app: FastAPI, built: Path, path: str) -> None:
    async with in_process(app) as api:
        answer = await api.get(path)
    assert answer.status_code == 200
    assert answer.text == HTML
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


async def test_a_page_that_has_not_changed_is_not_sent_again(app: FastAPI, built: Path) -> None:
    async with in_process(app) as api:
        tag = (await api.get("/")).headers["etag"]
        assert (await api.get("/", headers={"If-None-Match": tag})).status_code == 304


async def test_assets_are_kept_for_ever_and_sent_small(app: FastAPI, built: Path) -> None:
    async with in_process(app) as api:
        answer = await api.get("/assets/index-0a1b.js")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["content-type"].startswith("text/javascript")
        assert (await api.get("/icon.svg")).headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "path", ["/assets/none.js", "/assets/../index.html", "/assets/%2e%2e/index.html", "/nothing", "/my-worlds/"]
)
async def test_no_other_path_gets_it(app: FastAPI, built: Path, path: str) -> None:
    async with in_process(app) as api:
        assert_problem(await api.get(path), 404, "not_found")


@pytest.mark.parametrize("path", ["/jobs/x", "/jobs/x/y", "/worlds/x", "/stats/x"])
async def test_a_path_of_the_api_never_gets_it(app: FastAPI, built: Path, path: str) -> None:
    async with in_process(app) as api:
        answer = await api.get(path, headers={"Accept": "text/html"})
    assert answer.status_code in (400, 404)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_where_it_is_not_built_it_says_so(app: FastAPI, tmp_path: Path) -> None:
    app.state.page = Page(tmp_path / "none")
    async with in_process(app) as api:
        answer = await api.get("/")
        assert answer.status_code == 503
        assert "`make page` builds it" in answer.text
        assert_problem(await api.get("/icon.svg"), 404, "not_found")


async def test_a_page_without_worlds_says_so_and_has_fewer_paths(app: FastAPI, built: Path) -> None:
    index = (ROOT / "frontend" / "index.html").read_text()
    (built / "index.html").write_text(index)
    app.state.page = Page(built, product=False)
    async with in_process(app) as api:
        assert '<meta name="product" content="no" />' in (await api.get("/")).text
        assert_problem(await api.get("/my-worlds"), 404, "not_found")
        app.state.page = Page(built)
        assert (await api.get("/my-worlds")).text == index.replace('="./', '="/')


def test_the_page_knows_the_same_paths() -> None:
    text = (ROOT / "frontend" / "src" / "app" / "routes.ts").read_text()
    assert [path for path in PATHS if f'"{path.replace("{", ":").replace("}", "")}"' not in text] == []
