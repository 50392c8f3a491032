"""Attacks of one owner, or of a page of a stranger, on what belongs to others."""

from __future__ import annotations

from typing import Any

import pytest

from loresmith.api.site import Site

OURS = ("localhost", "127.0.0.1", "[::1]", "lore.example")


def is_refused(*hosts: str) -> bool:
    """Whether a server that answers to its machine and to one name refuses these Host headers."""
    scope: dict[str, Any] = {"method": "GET", "headers": [(b"host", host.encode("latin-1")) for host in hosts]}
    return Site(["lore.example"]).refusal(scope) is not None


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("port", ["", ":8080"])
def test_our_names_are_answered_to(name: str, port: str) -> None:
    assert not is_refused(name + port)
    assert not is_refused((name + port).upper())


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize(
    "more",
    [
        ".evil",
        ".evil:80",
        ":evil",
        ":80evil",
        ":80:80",
        ":80@evil",
        ":@evil",
        "@evil",
        "%evil",
        "%25evil",
        "_",
        ".",
        "-",
        " ",
        "\t",
        "/",
        "#",
        "?evil",
        "\\evil",
        ",evil",
        "]",
        "]evil",
        "\xad",
        "\0",
        "evil",
        ":999999",
    ],
)
def test_names_that_only_begin_like_ours_are_not(name: str, more: str) -> None:
    assert is_refused(name + more)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("before", ["evil.", "evil@", "user:word@", "[", " ", "_", ".", "http://", "127.0.0.1,"])
def test_names_that_only_end_like_ours_are_not(name: str, before: str) -> None:
    assert is_refused(before + name)


@pytest.mark.parametrize(
    "host",
    [
        "[::1%evil]",
        "[::1%25lo]",
        "::1%evil",
        "[localhost]",
        "[::1]evil",
        "[::1].evil",
        "[127.0.0.1]evil",
        "127.1",
        "0x7f.1",
        "",
    ],
)
def test_odd_forms_of_addresses_are_not(host: str) -> None:
    assert is_refused(host)


def test_of_two_names_neither_counts() -> None:
    assert is_refused("localhost", "evil")
    assert is_refused("evil", "localhost")
    assert is_refused("localhost", "localhost")
