"""Values as people paste them: harmless surroundings are stripped, the rest is refused by name and never shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from loresmith.client import JobsClient
from loresmith.client.configuration import Configuration
from loresmith.llm_service.provider import find_provider
from loresmith.pasted import VariableError, find_invisible, strip_pasted
from loresmith.proxies import check_proxies, goes_direct, strip_proxies
from loresmith.settings import SettingsError, client_variables, load_settings

AROUND = ("\n", "\r\n", " ", "\t", "\u00a0", "\u200b", "\ufeff", "\u2060", "\u202a", "\u2003")
QUOTES = ('""', "''", "``", "\u201c\u201d", "\u2018\u2019", "\u201e\u201c", "\u00ab\u00bb")
INSIDE = ("\n", "\r", " ", "\t", "\u00a0", "\u200b", "\ufeff", "\u2026", "\u201c", "\u2013", "\u00e9", "\x07", "\udc80")
BARE = {
    "MODEL_API_KEY": "sk-hush-{}hush",
    "LORE_TOKEN": "hush-hush-{}hush-hush",
    "JWT_SECRET": "hush-hush-hush-hush-{}hush-hush-hush-hush",
    "WEBHOOK_SECRETS": "whsec_AAAAAAAAAAAAAAAA{}AAAAAAAAAAAAAAAA",
    "REDIS_URL": "redis://:hush@red{}is.example:6379/0",
    "DATABASE_URL": "postgresql://anna:hush@sql.exa{}mple/lore",
    "MODEL_BASE_URL": "http://mod{}el.example/v1",
    "JWT_JWKS_URL": "https://login.exa{}mple/keys",
    "JWT_ISSUER": "https://login.exa{}mple",
    "LORE_URL": "lo{}re:50051",
    "LORE_LISTEN": "127.0.{}0.1:50051",
    "METRICS_LISTEN": "127.0.{}0.1:9464",
    "HOST": "127.0.{}0.1",
    "ALLOWED_HOSTS": "lore.exa{}mple",
    "CORS_ORIGINS": "https://app.exa{}mple",
}
"""A value of each setting that is a key, a token or an address; `{}` is a place inside it."""
PROVIDERS = {"openai:gpt-5": "OPENAI_API_KEY", "anthropic:claude-opus-4-5": "ANTHROPIC_API_KEY"}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if re.fullmatch(r"(?i)(LORESMITH|OPENAI|ANTHROPIC|GEMINI|GOOGLE)_.*|\w+_PROXY", name):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("setting", BARE)
def test_white_space_and_quotes_around_a_setting_are_stripped(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    value = BARE[setting].format("")
    surrounded = [f"{one}{value}{one}" for one in AROUND] + [f"{one[0]}{value}{one[1]}\n" for one in QUOTES]
    for given in surrounded:
        monkeypatch.setenv(f"LORESMITH_{setting}", given)
        found = getattr(load_settings(), setting.lower())
        assert getattr(found, "get_secret_value", lambda found=found: found)() == value, ascii(given)


@pytest.mark.parametrize("setting", BARE)
def test_what_is_inside_a_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    for one in set(INSIDE) - ({" "} if setting == "JWT_SECRET" else set()):
        monkeypatch.setenv(f"LORESMITH_{setting}", BARE[setting].format(one))
        with pytest.raises(SettingsError) as caught:
            load_settings()
        message = str(caught.value)
        assert f"LORESMITH_{setting}" in message, ascii(one)
        assert "hush" not in message
        assert message.isprintable(), ascii(message)


def test_a_flaw_is_named_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_MODEL_API_KEY", "sk-hu\u2026sh")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    expected = "expected printable ASCII without blanks, not an ellipsis (U+2026) at character 6"
    assert str(caught.value) == f"LORESMITH_MODEL_API_KEY: {expected}"


def test_a_value_of_nothing_but_blanks_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_MODEL_API_KEY", " \u200b\n")
    assert load_settings().model_api_key is None


def test_a_number_and_a_word_are_read_although_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_PORT", "\u00a0“9000”\n")
    monkeypatch.setenv("LORESMITH_LOG_LEVEL", " Debug\r")
    assert (load_settings().port, load_settings().log_level) == (9000, "debug")


def test_an_env_file_of_windows_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("\ufeffLORESMITH_PORT=9000\r\nLORESMITH_HOST=“::1”\r\n".encode())
    assert (load_settings().port, load_settings().host) == (9000, "::1")


def test_a_name_with_an_invisible_character_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_PORT\u200b", "1")
    with pytest.raises(SettingsError, match=re.escape(r"'LORESMITH_PORT\u200b' is not a setting")):
        load_settings()


def test_a_password_in_an_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_MODEL_BASE_URL", "htp://anna:hush@model.example")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "LORESMITH_MODEL_BASE_URL" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_paths_and_themes_of_any_script_are_fine() -> None:
    assert find_invisible("/srv/Märchen und Sagen/神话") is None
    assert strip_pasted("don't") == "don't"
    assert strip_pasted('"') == '"'


def test_address_and_key_of_a_client_are_stripped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LORESMITH_URL", "“http://127.0.0.1:8080/”\n")
    monkeypatch.setenv("LORESMITH_API_KEY", "\ufeffls_key\r\n")
    made = Configuration.of(None, None, timeout=1, retries=0, patience_seconds=1)
    assert (made.base_url, made.api_key) == ("http://127.0.0.1:8080", "ls_key")
    assert client_variables() == ("http://127.0.0.1:8080/", "ls_key")


@pytest.mark.parametrize("one", INSIDE)
def test_address_and_key_of_a_client_are_refused_by_name(one: str) -> None:
    with pytest.raises(ValueError, match="LORESMITH_API_KEY") as caught:
        JobsClient("http://127.0.0.1", f"hush{one}hush")
    assert "hush" not in str(caught.value)
    with pytest.raises(ValueError, match="LORESMITH_URL"):
        JobsClient(f"http://lore.exa{one}mple")


@pytest.mark.parametrize(("model", "variable"), PROVIDERS.items())
def test_the_key_of_a_provider_is_stripped_or_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, model: str, variable: str
) -> None:
    monkeypatch.setenv(variable, "“sk-key”\n")
    assert find_provider(model).current() is not None
    assert os.environ[variable] == "sk-key"
    for one in INSIDE:
        monkeypatch.setenv(variable, f"sk-hush{one}hush")
        with pytest.raises(VariableError, match=variable) as caught:
            find_provider(model)
        assert "hush" not in str(caught.value)


def test_variables_of_other_providers_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-key")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "not…ours")
    assert find_provider("openai:gpt-5").current() is not None


def test_an_address_of_a_provider_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-key")
    monkeypatch.setenv("OPENAI_BASE_URL", "localhost:1234/v1")
    with pytest.raises(VariableError, match="OPENAI_BASE_URL is no address: expected http://… or https://…"):
        find_provider("openai:gpt-5")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("ALL_PROXY", "socks5://anna:hush@127.0.0.1:1080", "package 'socksio' is missing: pip install socksio"),
        ("all_proxy", "socks5h://h:1", "all_proxy names a SOCKS proxy"),
        ("ALL_PROXY", "socks4://h:1", "ALL_PROXY is no proxy that can be used"),
        ("ALL_PROXY", "socks://h:1", "expected http://host:port, https://… or socks5://…"),
        ("HTTP_PROXY", "http://anna:hush@h:port", "HTTP_PROXY is no proxy that can be used"),
        ("HTTPS_PROXY", "htp://h", "HTTPS_PROXY is no proxy that can be used"),
        ("HTTPS_PROXY", "http://", "HTTPS_PROXY is no proxy that can be used"),
        ("http_proxy", "http://h…:1", "http_proxy has an ellipsis (U+2026) at character 9"),
        ("https_proxy", "http://h :1", "https_proxy has a blank"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-key")
    for uses in (
        check_proxies,
        lambda: JobsClient("https://lore.example"),
        lambda: find_provider("openai:gpt-5"),
        lambda: find_provider("openai-compatible:m", base_url="http://model.example"),
    ):
        with pytest.raises(VariableError) as caught:
            uses()
        assert expected in str(caught.value)
        assert "hush" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_what_no_proxy_stands_before_does_not_mind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    JobsClient("http://127.0.0.1:8080").close()
    JobsClient("http://10.1.2.3:8080").close()
    assert find_provider("openai-compatible:m", base_url="http://localhost:1234").current() is not None


def test_a_pasted_proxy_is_stripped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", " “http://proxy.example:3128”\n")
    strip_proxies()
    assert os.environ["HTTPS_PROXY"] == "http://proxy.example:3128"
    check_proxies()
    JobsClient("https://lore.example").close()


@pytest.mark.parametrize(
    ("listed", "url", "direct"),
    [
        ("*", "https://a.example", True),
        ("a.example", "https://a.example", True),
        ("a.example", "https://b.a.example", True),
        (".a.example", "https://b.a.example", True),
        ("*.a.example", "https://b.a.example", True),
        ("a.example", "https://ba.example", False),
        ("x, a.example y", "https://A.example", True),
        ("a.example:8443", "https://a.example:8443", True),
        ("a.example:8443", "https://a.example", False),
        ("10.0.0.0/8", "http://10.9.8.7", True),
        ("10.0.0.0/8", "http://11.9.8.7", False),
        ("fd00::/8", "http://[fd00::1]:80", True),
        ("[fd00::1]", "http://[fd00::1]", True),
        ("http://a.example", "http://a.example", True),
        ("", "http://a.example", False),
        ("", "http://127.8.8.8", True),
        ("", "http://[::1]:8080", True),
    ],
)
def test_no_proxy_is_read_in_every_form(
    monkeypatch: pytest.MonkeyPatch, listed: str, url: str, *, direct: bool
) -> None:
    monkeypatch.setenv("no_proxy", listed)
    assert goes_direct(url) is direct
