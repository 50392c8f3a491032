"""compose.yaml says what is true of the program."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from loresmith.cli.app import build_app
from loresmith.cli.processes import LORE_GRACE_SECONDS, WORKER_GRACE_SECONDS, WORKER_LINGER_SECONDS
from loresmith.settings import PREFIX, Settings, load_settings
from tests.deploy.compose import ROOT, SECRETS, environment, seconds, services

SERVICES = services(SECRETS)
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
KEYS = {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "LORESMITH_MODEL_API_KEY"}


def test_containers_have_the_names_that_the_manuals_use() -> None:
    names = {service["container_name"] for service in SERVICES.values()} - {"loresmith-migrate"}
    assert names == {
        "loresmith-redis",
        "loresmith-postgres",
        "loresmith-api",
        "loresmith-worker",
        "loresmith-python-service",
    }


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_with_settings_that_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = {
        command.name or str(getattr(command.callback, "__name__", "")) for command in build_app().registered_commands
    }
    assert OURS[name]["command"][0] in commands
    for variable, value in environment(OURS[name], SECRETS).items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()  # refuses what is wrong and what is unknown
    known = {PREFIX + field.upper() for field in Settings.model_fields}
    assert {variable for variable in OURS[name]["environment"] if variable.startswith(PREFIX)} <= known
    if name == "api":
        assert (settings.host, settings.auth) == ("0.0.0.0", "keys")


def test_every_setting_can_be_given_to_some_service() -> None:
    passed = {name for service in OURS.values() for name in service["environment"]}
    elsewhere = {
        *("DATA_DIR", "LORE_TLS_CERT", "LORE_TLS_KEY", "LORE_TLS_CA"),  # files: they need a mount
        *("ALLOW_ANONYMOUS", "LORE_ALLOW_ANYONE", "WEBHOOK_ALLOW_PRIVATE"),  # against what this file is for
        *("REDIS_REPLICAS", "LOG_FORMAT", "LOG_CONTENT"),
    }
    assert {field.upper() for field in Settings.model_fields} - elsewhere == {
        name.removeprefix(PREFIX) for name in passed if name.startswith(PREFIX)
    }


@pytest.mark.parametrize("missing", SECRETS)
def test_a_secret_that_is_not_set_is_an_error(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        services({name: value for name, value in SECRETS.items() if name != missing})
    assert f"\n{missing}=\n" in (ROOT / ".env.example").read_text()


def test_only_the_api_is_published_and_only_to_this_machine() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"api"}
    assert SERVICES["api"]["ports"] == ["127.0.0.1:8080:8080"]
    assert all(
        "store" not in service["networks"] or "front" not in service["networks"]
        for name, service in SERVICES.items()
        if name != "api"
    )


def test_only_the_lore_service_gets_keys_of_providers() -> None:
    assert {name for name, service in SERVICES.items() if KEYS & set(service.get("environment", {}))} == {"lore"}


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_may_more_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service or name not in OURS


@pytest.mark.parametrize(
    ("name", "needed"),
    [("worker", WORKER_GRACE_SECONDS + WORKER_LINGER_SECONDS + 5), ("lore", LORE_GRACE_SECONDS + 5)],
)
def test_a_process_is_not_killed_while_it_finishes(name: str, needed: float) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) > needed


def test_redis_keeps_what_it_took() -> None:
    words = shlex.split(SERVICES["redis"]["command"])
    options = dict(zip(words[1::2], words[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


def test_whoever_needs_the_stores_waits_for_them() -> None:
    def waits(name: str) -> dict[str, Any]:
        return {other: wish["condition"] for other, wish in SERVICES[name]["depends_on"].items()}

    assert waits("migrate") == {"postgres": "service_healthy"}
    assert waits("api") == {"redis": "service_healthy", "migrate": "service_completed_successfully"}
    assert waits("worker") == {**waits("api"), "lore": "service_healthy"}


def test_the_image_takes_no_more_than_it_names() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    kept = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for source in " ".join(copied).split():
        assert (ROOT / source).exists(), source
        assert any(source.rstrip("/") == one or source.startswith(f"{one}/") for one in kept), source


def test_the_image_runs_as_a_numbered_user() -> None:
    text = (ROOT / "Dockerfile").read_text()
    user = re.findall(r"^USER (\d+):(\d+)$", text, re.MULTILINE)
    assert len(user) == 1
    assert 'ENTRYPOINT ["loresmith"]' in text
    uid = user[0][0]
    assert all(f"uid={uid}" in service["tmpfs"][1] for service in OURS.values())
