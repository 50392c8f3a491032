"""The forms and options of a Redis URL: what is understood, and that nothing else passes."""

from __future__ import annotations

from typing import Any

import pytest

from loresmith.jobs.connection import Connections
from loresmith.settings import SettingsError, load_settings


@pytest.mark.parametrize(
    "url",
    [
        "redis://h?decode_responses=true",
        "redis://h?encoding=utf-16",
        "redis://h?encoding_errors=ignore",
        "redis://h?protocol=2",
        "redis://h?legacy_responses=false",
        "redis://h?socket_timeout=1",
        "redis://h?socket_connect_timeout=1",
        "redis://h?socket_keepalive=true",
        "redis://h?socket_read_size=1",
        "redis://h?retry_on_timeout=true",
        "redis://h?health_check_interval=1",
        "redis://h?max_connections=1",
        "redis://h?timeout=1",
        "redis://h?client_name=x",
        "redis://h?foo=1",
        "redis://h?ssl_cert_reqs=none",
        "redis://h?db=x",
        "redis://h?db=1&db=2",
        "redis://h?db=",
        "redis://h/x",
        "redis://h/1/2",
        "redis://h#hush",
        "rediss://h?ssl_cert_reqs=maybe",
        "rediss://h?ssl_check_hostname=perhaps",
        "rediss://h?ssl_min_version=2",
        "unix:///s?decode_responses=1",
        "redis+sentinel://h:1",
        "redis+sentinel://h:1/lore/x",
        "redis+sentinel://h:1/lore?decode_responses=1",
        "redis+sentinel://h:1/lore?username=x",
        "redis+sentinel://h:1,:2/lore",
        "redis+cluster://h:1?decode_responses=true",
        "redis+cluster://h:x",
        "redis+cluster://h:1/3",
        "REDIS://h",
    ],
)
def test_other_forms_and_options_are_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_URL", url)
    with pytest.raises(SettingsError, match="LORESMITH_REDIS_URL: expected ") as caught:
        load_settings()
    assert "hush" not in str(caught.value)
    with pytest.raises(ValueError, match="expected "):
        Connections(url)


def test_an_option_is_named_with_those_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_URL", "redis://:hush@h?decode_responses=true")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == (
        "LORESMITH_REDIS_URL: expected no option but db, username, password, not 'decode_responses'"
    )


def test_what_may_be_a_secret_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_URL", "redis://h?HUSH=hush")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "hush" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h", {"host": "h"}),
        (
            "redis://anna:p%40s%3A%2F%25%2B%20+x@h:7/3",
            {"username": "anna", "password": "p@s:/%+ +x", "db": 3, "port": 7},
        ),
        ("redis://h?username=anna&password=p%40%2525+x", {"username": "anna", "password": "p@%25+x"}),
        ("unix:///run/r.sock?db=2&password=p%26q", {"path": "/run/r.sock", "db": 2, "password": "p&q"}),
        ("rediss://h?ssl_ca_certs=%2Fca.pem&ssl_cert_reqs=none&ssl_check_hostname=no", {"ssl_ca_certs": "/ca.pem"}),
    ],
)
def test_credentials_and_options_reach_the_connection(url: str, expected: dict[str, Any]) -> None:
    for client in (Connections(url).client(), Connections(url).blocking_client()):
        made: Any = client
        kwargs: dict[str, Any] = made.connection_pool.connection_kwargs
        assert {name: kwargs.get(name) for name in expected} == expected
        assert "decode_responses" not in kwargs or not kwargs["decode_responses"]


def test_credentials_of_sentinels_are_percent_decoded() -> None:
    made: Any = Connections("redis+sentinel://h:1/lore?sentinel_password=a%2Bb+c").client()
    sentinel = made.connection_pool.sentinel_manager.sentinels[0]
    assert sentinel.connection_pool.connection_kwargs["password"] == "a+b+c"
