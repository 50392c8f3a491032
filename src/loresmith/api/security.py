"""What the guard adds to the OpenAPI document: how callers show who they are, and what they are told otherwise."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from loresmith.api import describe
from loresmith.api.errors import MEDIA_TYPE
from loresmith.api.guard import READ

Operation = dict[str, Any]

SCHEMES: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "an API key (`loresmith keys create`), an access token (JWT), or the token of a job;"
        " a server with LORESMITH_AUTH=none asks for nothing",
    },
    "jobToken": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "the token of a job, for what cannot send a header (EventSource)",
    },
}
_OF_ALL: Final = ("host_not_allowed",)
_GUARDED: Final = ("unauthorized", "forbidden", "rate_limited", "auth_unavailable")
_OF_CHANGES: Final = ("origin_not_allowed",)


def describe_guard(document: dict[str, Any], public: Collection[str]) -> None:
    """Add security schemes, what each operation needs and how it refuses; those that are `public` need nothing."""
    document["components"]["securitySchemes"] = SCHEMES
    document["components"]["headers"] = describe.RATE
    for method, operation in _operations(document):
        changes = _OF_CHANGES if method in ("post", "delete") else ()
        if operation["operationId"] in public:
            _refuses(operation, (*_OF_ALL, *changes))
        else:
            _refuses(operation, (*_OF_ALL, *_GUARDED, *changes))
            _needs(operation)


def _needs(operation: Operation) -> None:
    by_token = [{"jobToken": list[str]()}] if operation["operationId"] in READ else []
    operation["security"] = [{}, {"bearer": []}, *by_token]
    for status, answer in operation["responses"].items():
        if status not in ("400", "401"):
            answer["headers"] |= describe.RATE_REFS


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path in document["paths"].values():
        yield from path.items()


def _refuses(operation: Operation, codes: tuple[str, ...]) -> None:
    """Document these problems beside those that are there with the same status."""
    answers = operation["responses"]
    there = [code for answer in answers.values() for code in _codes(answer)]
    for status, answer in describe.problems(*dict.fromkeys((*there, *codes))).items():
        answers[str(status)] = answer
    operation["responses"] = dict(sorted(answers.items()))


def _codes(answer: dict[str, Any]) -> list[str]:
    return list(answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}))
