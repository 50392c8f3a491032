"""The page `/docs`: the OpenAPI document as plain HTML, with no script and nothing loaded from elsewhere."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

Schema = Mapping[str, Any]

EMPTY: Final[Schema] = {}

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid; padding-top: 1rem; }
h2 b { font: bold 1rem monospace; border: 1px solid; border-radius: .3rem; padding: .1rem .5rem; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #8884; padding: .2rem 1rem .2rem 0; vertical-align: top; }
code { font-size: .9rem; }
@media (prefers-color-scheme: dark) { html { background: #111; color: #ddd; } a { color: #8cf; } }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"
"""The Content-Security-Policy under which the page works."""


def render(document: Mapping[str, Any], prefix: str) -> str:
    """Return the page for an OpenAPI document, whose paths are below the prefix outside."""
    info, schemas = document["info"], document["components"]["schemas"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    operations = [
        _operation(method, f"{prefix}{path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    described = [_schema(name, schema) for name, schema in schemas.items()]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(info['description'])}</p>"
        f'<p>For programs: <a href="{prefix}/openapi.json">{prefix}/openapi.json</a></p>'
        f"{''.join(operations)}{''.join(described)}</html>"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    rows = [("body", _type(_json_schema(operation["requestBody"])), "")] if "requestBody" in operation else []
    rows += [
        (f"{one['in']} <code>{escape(one['name'])}</code>", _type(one["schema"]), escape(one.get("description", "")))
        for one in operation.get("parameters", [])
    ]
    rows += [
        (f"→ {status}", _type(_json_schema(answer)), escape(answer["description"]))
        for status, answer in operation["responses"].items()
    ]
    return (
        f'<section id="{escape(operation["operationId"])}"><h2><b>{method.upper()}</b> <code>{escape(path)}</code></h2>'
        f"<p>{escape(operation['summary'])}. {escape(operation['description'])}</p>{_table(rows)}</section>"
    )


def _schema(name: str, schema: Schema) -> str:
    head = f'<section id="{escape(name)}"><h2>{escape(name)}</h2><p>{escape(schema.get("description", ""))}</p>'
    if "properties" not in schema:
        return f"{head}<p>{_type(schema)}</p></section>"
    required = schema.get("required", [])
    rows = [
        (f"<code>{escape(key)}</code>{'' if key in required else ' ?'}", _type(one), escape(one.get("description", "")))
        for key, one in schema["properties"].items()
    ]
    return f"{head}{_table(rows)}</section>"


def _table(rows: list[tuple[str, str, str]]) -> str:
    return f"<table>{''.join(f'<tr><td>{a}</td><td>{b}</td><td>{c}</td></tr>' for a, b, c in rows)}</table>"


def _json_schema(content: Mapping[str, Any]) -> Schema:
    """Return the schema of a body, of whatever media type; {} where there is none."""
    media: Mapping[str, Any] = content.get("content", {})
    return next((one["schema"] for one in media.values()), EMPTY)


def _type(schema: Schema) -> str:
    """Return a schema in a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type(one) for one in schema[key])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in values)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {})) or 'anything'}"
    return escape(" ".join([str(schema.get("type", "")), *_bounds(schema)]))


def _bounds(schema: Schema) -> Iterator[str]:
    for key, word in (("minimum", "≥"), ("maximum", "≤"), ("maxLength", "of at most"), ("format", "as")):
        if key in schema:
            value = schema[key]
            yield f"{word} {value:g}" if isinstance(value, float) else f"{word} {value}"
