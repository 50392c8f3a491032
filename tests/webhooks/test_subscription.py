"""Which URLs are taken, and what is shown of them."""

import pytest

from loresmith.webhooks import Rules, Subscription, WrongUrlError

TAKEN = [
    "https://example.com",
    "https://example.com/hooks?token=1",
    "https://example.com:443/",
    "https://example.com:8443/a%20b",
    "https://xn--bcher-kva.example/",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
]
REFUSED = {
    "http://example.com/": "https://",
    "ftp://example.com/": "https://",
    "//example.com/": "https://",
    "https:///path": "name of a host",
    "https://": "name of a host",
    "https://anna:pw@example.com/": "user name",
    "https://anna@example.com/": "user name",
    "https://example.com/#part": "fragment",
    "https://example.com:80/": "port 443",
    "https://example.com:22/": "port 443",
    "https://example.com:99999/": "URL such as",
    "https://example.com:x/": "URL such as",
    "https://[::1/": "URL such as",
    "https://bücher.example/": "ASCII",
    "https://example.com/a b": "ASCII",
    "https://example.com/\nx": "ASCII",
    "https://exa\\mple.com/": "ASCII",
    "https://127.0.0.1/": "public internet",
    "https://169.254.169.254/latest": "public internet",
    "https://[::1]/": "public internet",
    "https://[::ffff:10.0.0.1]:8443/": "public internet",
    "https://[fe80::1%25eth0]/": "public internet",
    "https://example.com/" + "x" * 2048: "2,048 characters",
}


@pytest.mark.parametrize("url", TAKEN)
def test_urls_that_are_taken(url: str) -> None:
    Rules().check(url)


@pytest.mark.parametrize(("url", "expected"), REFUSED.items())
def test_urls_that_are_refused(url: str, expected: str) -> None:
    with pytest.raises(WrongUrlError, match=expected):
        Rules().check(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:80/", "http://localhost:9000/x", "https://10.0.0.1/", *TAKEN])
def test_private_receivers_are_taken_when_the_operator_allows_it(url: str) -> None:
    Rules(allow_private=True).check(url)


def test_a_query_is_not_shown() -> None:
    shown = Subscription("https://example.com:8443/hooks?token=hush").shown_url
    assert shown == "https://example.com:8443/hooks?…"
