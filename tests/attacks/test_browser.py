"""Attacks on who opens an export: names and texts that a viewer of Markdown, or a page, would obey."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

FRONTEND = Path(__file__).parents[2] / "frontend"
EVIL = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![pixel](https://evil.example/p.png)",
    "<javascript:alert(1)>",
    "<https://evil.example>",
    "[x]: javascript:alert(1)",
    "[x][x]",
    "data:text/html,<b>x</b>",
    "&lt;b&gt; &#60;i&#62; &copy;",
    "# heading",
    "text\n===",
    "text\n---",
    "---\ntitle: front matter\n---",
    "<!-- comment -->",
    "a | b\n--|--\nc | d",
    "- list\n\n1. list\n\n+ list",
    "> quote",
    "    indented code",
    "```js\ncode\n```",
    "`code` **bold** _it_ ~~gone~~",
    "\\*escaped\\* \\",
    "a  \nbreak",
    "$x$ {#id .class} [^1] :skull: ^up^",
    "<div\nonclick=x>",
    "!",
    "1)",
    "***",
    "</script>\u2028\u2029",
)
LINKED = ("https://evil.example/x", "www.evil.example", "a@evil.example")
"""Plain addresses, which some viewers make links of wherever they find them."""
ELEMENTS = {"h1", "h2", "h3", "p", "em", "strong", "ul", "ol", "li"}
_SCRIPT = """
const { readFileSync, writeFileSync } = require('fs');
const ts = require(process.argv[1] + '/node_modules/typescript');
for (const name of ['lore', 'markdown']) {
  const source = readFileSync(`${process.argv[1]}/src/app/${name}.ts`, 'utf8');
  const options = { compilerOptions: { module: 'commonjs', target: 'es2022' } };
  writeFileSync(`${process.argv[2]}/${name}.js`, ts.transpileModule(source, options).outputText);
}
const { taleAsMarkdown } = require(process.argv[2] + '/lore.js');
const { asJson } = require(process.argv[2] + '/markdown.js');
const tales = JSON.parse(readFileSync(0, 'utf8'));
console.log(JSON.stringify(tales.map((tale) => [taleAsMarkdown(tale), asJson(tale)])));
"""


def tale(evil: str) -> dict[str, Any]:
    piece = {
        "name": evil,
        "description": evil,
        "type": "relic",
        "details": {evil: evil, "list": [evil], "in": {evil: 1}},
    }
    quest = {"title": evil, "description": evil, "stages": [evil, evil]}
    return {"title": evil, "theme": evil, "story": f"{evil}\n\n{evil}", "quest": quest, "pieces": [piece]}


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Markdown and JSON of a world made of each text, as the page exports them."""
    assert (FRONTEND / "node_modules" / "typescript").exists(), "the page's tools are missing: run make check-page"
    texts = [*EVIL, *LINKED]
    words = ["node", "-e", _SCRIPT, str(FRONTEND), str(tmp_path_factory.mktemp("export"))]
    given = json.dumps([tale(text) for text in texts])
    ran = subprocess.run(words, input=given, check=True, capture_output=True, text=True)
    return {text: (pair[0], pair[1]) for text, pair in zip(texts, json.loads(ran.stdout), strict=True)}


def rendered(markdown: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)


@pytest.mark.parametrize("evil", [*EVIL, *LINKED])
def test_an_export_renders_as_text_alone(evil: str, exports: dict[str, tuple[str, str]]) -> None:
    page = rendered(exports[evil][0])
    tags = re.findall(r"<[^>]*>", page)
    assert {tag for tag in tags if not re.fullmatch(r"</?[a-z0-9]+>", tag)} == set(), "no tag has an attribute"
    assert {re.sub(r"[</>]", "", tag) for tag in tags} <= ELEMENTS
    assert page.count("<h") == 4, "title, quest, pieces, one piece"
    text = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
    assert text.count(" ".join(evil.split())) >= 8, "it can be read as it was written"


@pytest.mark.parametrize("evil", LINKED)
def test_plain_addresses_are_not_spelled_as_links(evil: str, exports: dict[str, tuple[str, str]]) -> None:
    assert evil not in exports[evil][0]


@pytest.mark.parametrize("evil", EVIL)
def test_exported_json_may_stand_inside_a_page(evil: str, exports: dict[str, tuple[str, str]]) -> None:
    document = exports[evil][1]
    assert json.loads(document) == tale(evil)
    assert set("<>&\u2028\u2029\u202e\x9b").isdisjoint(document)
