"""Every setting, typed, read once from `LORESMITH_…` variables and `.env`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from loresmith.pasted import find_invisible, strip_pasted
from loresmith.setting_types import (
    Address,
    BaseUrl,
    DatabaseUrl,
    Host,
    HostNames,
    Issuer,
    Key,
    KeySetUrl,
    Lowered,
    ModelName,
    ModelNames,
    Networks,
    Origins,
    PathToFile,
    PerProvider,
    RedisUrl,
    RootPath,
    Secret,
    Signatures,
    SigningSecret,
    WebhookSecrets,
    default_data_dir,
)

PREFIX = "LORESMITH_"
ENV_FILE = Path(".env")
_ENV_ENCODING = "utf-8-sig"
"""With or without a byte order mark, which editors of Windows write."""
_SECRETS = ("redis_url", "database_url", "model_api_key", "lore_token", "jwt_secret", "webhook_secrets")
"""Settings whose values no message shows."""
OF_CLIENTS = (f"{PREFIX}URL", f"{PREFIX}API_KEY")
"""Variables that are no settings: who asks a running server reads them."""


class SettingsError(Exception):
    """A setting is unknown or has a wrong value; the message is one line that names all of them."""


class Settings(BaseSettings):
    """What an operator may choose; each field is the variable `LORESMITH_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _strip(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Take away what surrounds a pasted value; a value that was nothing else counts as unset."""
        stripped = {name: strip_pasted(value) if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if value != ""}

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_invisible(cls, value: object) -> object:
        if isinstance(value, str) and (flaw := find_invisible(value)):
            raise ValueError(f"expected one line of visible characters, not {flaw}")
        return value

    jobs: str | None = Field(
        None, description="`jobs.py,package.jobs`: files and modules with job types, beside those of LoreSmith"
    )
    jobs_only: bool = Field(False, description="leave out LoreSmith's own job types, its saved worlds and their pages")
    host: Host = Field("127.0.0.1", description="address the API listens on")
    port: int = Field(8080, ge=0, le=65535, description="port of the API; 0 takes a free one")
    root_path: RootPath = Field(
        "", description="path under which a proxy shows the API, such as `/lore`; unset: as X-Forwarded-Prefix says"
    )
    auth: Annotated[Literal["none", "keys", "jwt", "keys,jwt"], Lowered] = Field(
        "none",
        description="how callers of the API show who they are: `keys` (`loresmith keys create`), `jwt`, or `keys,jwt`;"
        " `none`: whoever reaches it is the one local owner, who may do everything",
    )
    allow_anonymous: bool = Field(
        False, description="let the API listen beyond this machine although `LORESMITH_AUTH` is `none`"
    )
    allowed_hosts: HostNames | None = Field(
        None,
        description="`name,…` by which the API may be addressed (Host), beside those of this machine; `*`: by any;"
        " unset with `LORESMITH_AUTH`: likewise",
    )
    cors_origins: Origins | None = Field(
        None, description="`https://app.example,…`: pages of these origins may use the API; unset: only its own"
    )
    jwt_issuer: Issuer | None = Field(None, description="`iss` that tokens must have")
    jwt_audience: str | None = Field(None, description="`aud` that tokens must have")
    jwt_secret: SigningSecret | None = Field(
        None, description="secret with which tokens are signed (HS256), 32 characters or more; or else:"
    )
    jwt_jwks_url: KeySetUrl | None = Field(None, description="https://…: public keys of those who sign (JWKS)")
    jwt_algorithms: Signatures = Field(
        "RS256,ES256,EdDSA", description="signatures that are taken with `LORESMITH_JWT_JWKS_URL`"
    )
    jwt_leeway_seconds: int = Field(
        30, ge=0, le=300, description="how far clocks of issuer and API may be apart when times of tokens are checked"
    )
    jwt_scope_claim: str = Field("scope", min_length=1, description="claim with the scopes of a token")
    jwt_admin_scope: str = Field("admin", min_length=1, description="scope of those who may see and do everything")
    owner_requests_per_minute: int | None = Field(
        None, ge=0, le=10_000_000, description="requests of one owner; 0: any number; unset: 3000 with `LORESMITH_AUTH`"
    )
    owner_active_jobs: int | None = Field(
        None, ge=0, le=1_000_000, description="jobs of one owner that have not ended; likewise, 1000"
    )
    owner_running_jobs: int | None = Field(
        None, ge=0, le=1_000_000, description="jobs of one owner that are with workers at once; likewise, 100"
    )
    owner_payload_bytes: int = Field(
        256 * 1024, ge=1024, le=256 * 1024, description="largest job that is taken, as JSON, in bytes"
    )
    connections_per_address: int = Field(
        256,
        ge=0,
        le=1_000_000,
        description="connections that the API takes of one address; 0: any number; this machine's own do not count",
    )
    trusted_proxies: Networks | None = Field(
        None, description="`10.0.0.0/8,…`: proxies, of which any number of connections is taken"
    )
    data_dir: PathToFile = Field(
        default_factory=default_data_dir,
        description="where the embedded Redis and SQLite keep their data; one `loresmith run` at a time",
    )
    redis_url: RedisUrl | None = Field(
        None,
        repr=False,
        description="Redis >= 6.2 or Valkey to use; unset: the embedded server",
    )
    redis_replicas: int = Field(
        0,
        ge=0,
        le=10,
        description="replicas of Redis that must have a submission before it is answered (WAIT); 0 waits for none",
    )
    database_url: DatabaseUrl | None = Field(
        None,
        repr=False,
        description="`postgresql://user@host:port/name` (after `loresmith migrate`) or `sqlite:////path/to/file`;"
        " unset: SQLite in the data directory",
    )
    model: ModelName | None = Field(
        None,
        description="`provider:model`, `openai-compatible:<model>`, `gguf:<file>` or"
        " `fake?seconds=3&seed=1`; unset: the embedded model",
    )
    model_base_url: BaseUrl | None = Field(
        None,
        description="address of an `openai-compatible:` model, such as http://localhost:1234/v1",
    )
    model_api_key: Key | None = Field(None, description="key of an `openai-compatible:` model, where it asks for one")
    model_guided: bool | None = Field(
        None,
        description="whether the model is too small to follow a prompt and is held to forms and grammars; unset: true "
        "for the embedded model and for `gguf:` files below 1 GB",
    )
    model_fallbacks: ModelNames | None = Field(
        None, description="`provider:model,…` that take over, in this order, when the model fails"
    )
    model_first_token_seconds: float = Field(
        20.0, gt=0, le=600, description="a model that says nothing for so long has failed, if another can take over"
    )
    model_silence_seconds: float = Field(
        90.0, gt=0, le=3600, description="a model that sends nothing at all for so long has failed"
    )
    model_max_output_tokens: int = Field(
        512, ge=1, le=1_000_000, description="tokens that an answer may have, where the job type names no number"
    )
    model_output: Literal["json_schema", "tool", "json_object", "words"] | None = Field(
        None, description="way in which the model is asked for an object; unset: the best one that its server takes"
    )
    model_stream: bool = Field(True, description="whether answers are streamed; `false` for a server that cannot")
    model_longest_pause_seconds: float = Field(
        120.0, gt=0, le=86_400, description="longest pause that a provider's `Retry-After` can ask for"
    )
    model_requests_per_minute: PerProvider | None = Field(
        None, description="limit of a provider, as `500` or `openai=500,anthropic=50`; unset: none"
    )
    model_tokens_per_minute: PerProvider | None = Field(
        None, description="likewise, of tokens read and written; reserved before a call, settled after it"
    )
    model_concurrency: PerProvider | None = Field(
        None, description="likewise, of calls at once over all lore services; unset: 8 for each service"
    )
    budget_job_tokens: int | None = Field(None, ge=1, description="tokens that one job may use; unset: any number")
    budget_job_usd: float | None = Field(None, gt=0, description="dollars that one job may cost; unset: any sum")
    budget_owner_day_tokens: int | None = Field(
        None, ge=1, description="tokens that all jobs of one owner may use in a day (UTC)"
    )
    budget_owner_day_usd: float | None = Field(
        None, gt=0, description="dollars that all jobs of one owner may cost in a day (UTC)"
    )
    lore_url: Address | None = Field(
        None, description="host:port of a lore service; unset: `loresmith run` starts its own"
    )
    lore_listen: Address = Field("127.0.0.1:50051", description="host:port that `loresmith lore` listens on")
    lore_token: Secret | None = Field(
        None, description="secret that `lore` asks for and its clients show; at least 16 characters"
    )
    lore_tls_cert: PathToFile | None = Field(
        None, description="PEM file: certificate of this side, needed by a `lore` with TLS"
    )
    lore_tls_key: PathToFile | None = Field(None, description="PEM file: key of that certificate")
    lore_tls_ca: PathToFile | None = Field(
        None, description="PEM file: who must have signed the other side's certificate; clients with it use TLS"
    )
    lore_allow_anyone: bool = Field(
        False, description="let `lore` listen beyond this machine with neither token nor client certificates"
    )
    metrics_listen: Address | None = Field(
        None,
        description="host:port on which `worker` and `lore` answer `/metrics`, `/healthz` and `/readyz`;"
        " unset: they listen on none",
    )
    webhook_secrets: WebhookSecrets | None = Field(
        None,
        description="`whsec_…`, signs webhooks, without one jobs with a webhook are refused; two with a comma between"
        " them, while the second takes the place of the first",
    )
    webhook_allow_private: bool = Field(
        False,
        description="dangerous, for development only: webhooks may go to private addresses, to this machine, and over"
        " plain HTTP",
    )
    worker_concurrency: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="jobs that one worker runs at once; unset: what the model has slots for",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Lowered] = Field(
        "info", description="least level that is logged; unset, `loresmith run` logs from `warning`"
    )
    log_format: Annotated[Literal["auto", "console", "json"], Lowered] = Field(
        "auto", description="`auto`: for people on a terminal, JSON elsewhere"
    )
    log_content: bool = Field(
        False, description="let lines at `debug` quote what users and models wrote, 300 characters at a time"
    )


def load_settings(**overrides: Any) -> Settings:
    """Reads the environment, then `.env` in the working directory; raises SettingsError.

    `overrides` (from the command line) win over both.
    """
    problems = [*_unknown(os.environ, ""), *_unknown(_env_file(), f" in {ENV_FILE}")]
    try:
        settings = Settings(_env_file=ENV_FILE, _env_file_encoding=_ENV_ENCODING, **overrides)  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        raise SettingsError("; ".join([*problems, *_wrong(error)])) from None
    if settings.model and settings.model.partition(":")[0] == "openai-compatible":
        problems += [] if settings.model_base_url else [_missing_base_url(settings.model)]
    if (settings.lore_tls_cert is None) != (settings.lore_tls_key is None):
        problems.append(f"{PREFIX}LORE_TLS_CERT and {PREFIX}LORE_TLS_KEY: expected both or neither")
    if settings.redis_replicas and settings.redis_url is None:
        problems.append(
            f"{PREFIX}REDIS_REPLICAS={settings.redis_replicas}: expected {PREFIX}REDIS_URL beside it,"
            " the embedded server has no replica"
        )
    problems += _wrong_tokens(settings)
    if problems:
        raise SettingsError("; ".join(problems))
    return settings


def client_variables() -> tuple[str | None, str | None]:
    """Return address and API key of the server to ask, from the environment, then `.env`. Raises SettingsError."""
    found = {**_env_file(), **os.environ}
    url, key = (strip_pasted(found.get(name) or "") or None for name in OF_CLIENTS)
    return url, key


def _env_file() -> Mapping[str, str | None]:
    try:
        return dotenv_values(ENV_FILE, encoding=_ENV_ENCODING) if ENV_FILE.is_file() else {}
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"cannot read {str(ENV_FILE)!r} as UTF-8 text: {error}") from None


def _unknown(variables: Mapping[str, Any], place: str) -> Iterator[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {*OF_CLIENTS}
    for name in sorted(variables):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            nearest = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)
            shown = name if name.isascii() and name.isprintable() else ascii(name)
            yield f"{shown}{place} is not a setting: did you mean {nearest[0]}?"


def _wrong(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_context=False):
        name = str(problem["loc"][0])
        expected = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        expected = expected.removeprefix("expected ").split(", unable to")[0]
        given = str(problem["input"])
        shown = "" if name in _SECRETS or "@" in given else f"={given!r}"
        yield f"{PREFIX}{name.upper()}{shown}: expected {expected}"


def _missing_base_url(model: str) -> str:
    return f"{PREFIX}MODEL={model!r}: expected {PREFIX}MODEL_BASE_URL beside it"


def _wrong_tokens(settings: Settings) -> Iterator[str]:
    if "jwt" not in settings.auth:
        return
    if (settings.jwt_secret is None) == (settings.jwt_jwks_url is None):
        yield f"{PREFIX}AUTH={settings.auth!r}: expected one of {PREFIX}JWT_SECRET and {PREFIX}JWT_JWKS_URL"
    for name, value in (("ISSUER", settings.jwt_issuer), ("AUDIENCE", settings.jwt_audience)):
        if not value:
            yield f"{PREFIX}AUTH={settings.auth!r}: expected {PREFIX}JWT_{name} beside it"
