"""Settings: typed, read once; what is unknown or wrong is named with what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from loresmith.setting_types import per_provider
from loresmith.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no `.env` of the developer reaches a test."""
    import os

    for name in list(os.environ):
        if name.upper().startswith("LORESMITH_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.chdir(tmp_path)


def refused(**overrides: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(**overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_defaults_need_no_configuration(tmp_path: Path) -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.redis_url is None
    assert settings.model is None
    assert settings.data_dir == tmp_path / "share" / "loresmith"


def test_environment_wins_over_dotenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LORESMITH_PORT=9000\nLORESMITH_HOST=0.0.0.0\nOTHER=1\n")
    monkeypatch.setenv("LORESMITH_PORT", "9001")
    settings = load_settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 9001)


def test_overrides_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_PORT", "9001")
    assert load_settings(port=0).port == 0


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_URL", "")
    assert load_settings().redis_url is None


def test_an_unknown_variable_is_named_with_the_nearest_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LORESMITH_PROT", "1")
    assert refused() == "LORESMITH_PROT is not a setting: did you mean LORESMITH_PORT?"


def test_an_unknown_variable_in_dotenv_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LORESMITH_REDIS=redis://x\n")
    expected = "LORESMITH_REDIS in .env is not a setting: did you mean LORESMITH_REDIS_URL?"
    assert refused() == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "eighty", "LORESMITH_PORT='eighty': expected a valid integer"),
        ("PORT", "70000", "LORESMITH_PORT='70000': expected less than or equal to 65535"),
        ("DATA_DIR", "~nobody-is-named-so/x", "expected a path"),
        ("REDIS_URL", "redis://h:abc", "expected redis://host:port/db with a number as port"),
        ("REDIS_URL", "redis://:6379", "expected redis://host:port/db with a number as port"),
        ("LOG_LEVEL", "loud", "expected 'debug', 'info', 'warning' or 'error'"),
        ("MODEL", "gpt", "expected provider:model such as openai:gpt-5-mini"),
        ("MODEL_BASE_URL", "localhost:1", "expected http://… or https://…"),
        ("LORE_URL", "http://there", "LORESMITH_LORE_URL='http://there': expected host:port"),
        ("WORKER_CONCURRENCY", "0", "expected greater than or equal to 1"),
        ("MODEL_FALLBACKS", "openai:a,b", "expected provider:model such as openai:gpt-5-mini"),
        ("MODEL_TOKENS_PER_MINUTE", "openai=many", "expected a number, or one a provider such as openai=500"),
        ("MODEL_REQUESTS_PER_MINUTE", "0", "expected a number, or one a provider"),
        ("BUDGET_JOB_TOKENS", "0", "expected greater than or equal to 1"),
        ("BUDGET_OWNER_DAY_USD", "0", "expected greater than 0"),
        ("LORE_TOKEN", "short", "LORESMITH_LORE_TOKEN: expected at least 16 characters"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(f"LORESMITH_{name}", value)
    assert expected in refused()


def test_all_problems_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_PORT", "eighty")
    monkeypatch.setenv("LORESMITH_HOTS", "x")
    message = refused()
    assert "LORESMITH_PORT" in message
    assert "did you mean LORESMITH_HOST?" in message


def test_a_compatible_model_needs_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_MODEL", "openai-compatible:qwen")
    assert "expected LORESMITH_MODEL_BASE_URL beside it" in refused()
    monkeypatch.setenv("LORESMITH_MODEL_BASE_URL", "http://localhost:1234/v1/")
    assert load_settings().model_base_url == "http://localhost:1234/v1"


def test_replicas_need_a_redis_that_has_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_REPLICAS", "1")
    assert "expected LORESMITH_REDIS_URL beside it" in refused()
    monkeypatch.setenv("LORESMITH_REDIS_URL", "redis://localhost")
    assert load_settings().redis_replicas == 1


@pytest.mark.parametrize(
    "url", ["redis://:12/hush@h:6379", "redis://:Ab/hush@h:6379", "redis://:a#hush@h", "redis://:hu?sh@h"]
)
def test_a_password_that_is_not_encoded_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LORESMITH_REDIS_URL", url)
    assert "expected the password percent-encoded" in refused()
    assert "hush" not in refused()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a:12/hush@h/x",
        "postgresql://a:b#hush@h/x",
        "postgres://a:hu?sh@h/x",
        "postgresql://a:b@hush@h/x",
        "postgresql://a:hush\u2100@h/x",
    ],
)
def test_a_password_of_the_database_that_is_not_encoded_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("LORESMITH_DATABASE_URL", url)
    assert "LORESMITH_DATABASE_URL: expected the password percent-encoded" in refused()
    assert "hush" not in refused()


@pytest.mark.parametrize("url", ["mysql://a:hush@h/x", "sqlite://", "sqlite:///", "postgresql+asyncpg://h/x", "hush"])
def test_another_kind_of_database_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LORESMITH_DATABASE_URL", url)
    assert refused() == ("LORESMITH_DATABASE_URL: expected postgresql://user@host:port/name or sqlite:////path/to/file")


@pytest.mark.parametrize(
    "url",
    ["postgresql://a:b%40c@h:1/x?sslmode=require", "postgres://h,i/x", "postgresql:///x?host=/run", "sqlite:////x.db"],
)
def test_databases_that_are_understood(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("LORESMITH_DATABASE_URL", url)
    assert load_settings().database_url == url
    assert url not in repr(load_settings())


def test_an_env_file_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"LORESMITH_PORT=\xff\xfe")
    assert "cannot read '.env' as UTF-8 text" in refused()


def test_secrets_show_neither_in_repr_nor_in_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_MODEL_API_KEY", "sk-hush")
    monkeypatch.setenv("LORESMITH_REDIS_URL", "redis://:hush@localhost")
    assert "hush" not in repr(load_settings())
    assert "hush" not in str(load_settings())
    monkeypatch.setenv("LORESMITH_REDIS_URL", "amqp://:hush@localhost")
    assert "hush" not in refused()


@pytest.mark.parametrize("model", ["fake", "fake?seconds=3&seed=1", "gguf:/m.gguf", "ollama:qwen3"])
def test_models_that_are_understood(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    monkeypatch.setenv("LORESMITH_MODEL", model)
    assert load_settings().model == model


def test_limits_are_for_all_providers_or_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_MODEL_TOKENS_PER_MINUTE", "500")
    assert per_provider(load_settings().model_tokens_per_minute or "") == {"": 500}
    monkeypatch.setenv("LORESMITH_MODEL_TOKENS_PER_MINUTE", "openai=90000, anthropic=40000")
    assert per_provider(load_settings().model_tokens_per_minute or "") == {"openai": 90000, "anthropic": 40000}


def test_a_certificate_needs_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_LORE_TLS_CERT", "cert.pem")
    assert "LORESMITH_LORE_TLS_CERT and LORESMITH_LORE_TLS_KEY: expected both or neither" in refused()


def test_the_token_shows_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORESMITH_LORE_TOKEN", "hush-hush-hush-hush")
    assert "hush" not in repr(load_settings())
    monkeypatch.setenv("LORESMITH_LORE_TOKEN", "hush")
    assert "hush" not in refused()


JWT = {"auth": "jwt", "jwt_issuer": "https://login.example", "jwt_audience": "loresmith"}


def test_nobody_is_asked_who_they_are_unless_that_is_set() -> None:
    settings = load_settings()
    assert (settings.auth, settings.allow_anonymous, settings.cors_origins) == ("none", False, None)
    assert load_settings(**{**JWT, "auth": "KEYS,jwt"}, jwt_secret="s" * 32).auth == "keys,jwt"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"auth": "yes"}, "LORESMITH_AUTH='yes': expected 'none', 'keys', 'jwt' or 'keys,jwt'"),
        (JWT, "expected one of LORESMITH_JWT_SECRET and LORESMITH_JWT_JWKS_URL"),
        ({**JWT, "jwt_secret": "s" * 32, "jwt_jwks_url": "https://login.example/keys"}, "expected one of"),
        ({**JWT, "jwt_secret": "s" * 32, "jwt_issuer": None}, "expected LORESMITH_JWT_ISSUER beside it"),
        ({**JWT, "jwt_secret": "s" * 32, "jwt_audience": ""}, "expected LORESMITH_JWT_AUDIENCE beside it"),
        ({"jwt_secret": "s" * 31}, "LORESMITH_JWT_SECRET: expected at least 32 characters"),
        ({"jwt_jwks_url": "http://login.example/keys"}, "expected https://…"),
        ({"jwt_algorithms": "RS256,HS256"}, "LORESMITH_JWT_ALGORITHMS='RS256,HS256': expected some of RS256"),
        ({"jwt_algorithms": "none"}, "expected some of RS256"),
        ({"jwt_algorithms": ","}, "expected some of RS256"),
        ({"allowed_hosts": "https://lore.example"}, "expected names of hosts without ports"),
        ({"cors_origins": "*"}, "expected origins such as https://app.example"),
        ({"cors_origins": "https://app.example/"}, "expected origins such as https://app.example"),
        ({"cors_origins": "null"}, "expected origins such as https://app.example"),
        ({"owner_payload_bytes": 10**6}, "LORESMITH_OWNER_PAYLOAD_BYTES='1000000': expected less than or equal to"),
    ],
)
def test_settings_of_who_may_use_the_api_that_are_wrong_or_unsafe(chosen: dict[str, object], expected: str) -> None:
    assert expected in refused(**chosen)


@pytest.mark.parametrize("url", ["https://login.example/keys", "http://127.0.0.1:1/keys", "http://localhost/keys"])
def test_keys_of_a_provider_come_over_tls_or_from_this_machine(url: str) -> None:
    assert load_settings(**JWT, jwt_jwks_url=url).jwt_jwks_url == url


@pytest.mark.parametrize(
    "secrets",
    [
        "",
        "whsec_",
        "A" * 32,
        "whsec_" + "A" * 28,
        "whsec_" + "A" * 31,
        "whsec_" + "A" * 32 + "!",
        "whsec_" + "A" * 88,
        ",".join(["whsec_" + "A" * 32] * 3),
    ],
)
def test_webhook_secrets_that_are_none_are_refused_and_not_shown(secrets: str) -> None:
    message = refused(webhook_secrets=secrets or ",")
    assert message.startswith("LORESMITH_WEBHOOK_SECRETS: expected whsec_ and 24 to 64 bytes in base64")
    assert "AAAA" not in message


@pytest.mark.parametrize("secrets", ["whsec_" + "A" * 32, "whsec_" + "A" * 32 + ", whsec_" + "B" * 84 + "BA=="])
def test_one_or_two_webhook_secrets_are_taken(secrets: str) -> None:
    settings = load_settings(webhook_secrets=secrets)
    assert settings.webhook_secrets is not None
    assert secrets not in repr(settings)
