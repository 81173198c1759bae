"""Settings: which source wins, which values are refused, and that keys are not shown."""

from pathlib import Path
from typing import Any

import pytest

from runstead import RunsteadError
from runstead.config import Config, load


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(
        """
        port = 1
        host = "::1"
        run_lifetime = 10
        allowed_hosts = ["runs.example.com"]
        allowed_origins = ["https://app.example.com", "http://localhost:3000", "chrome-extension://abc"]

        [[upstream]]
        name = "house"
        url = "http://127.0.0.1:1/v1"

        [aliases]
        "gpt-4o" = "qwen3"

        [embeddings]
        preset = "ollama"
        model = "nomic-embed-text"
        """
    )
    return file


def test_without_sources_all_settings_are_defaults() -> None:
    assert load(None, {}, {}) == Config()


def test_flags_override_the_environment_which_overrides_the_file(file: Path) -> None:
    settings = load(file, {"RUNSTEAD_PORT": "2", "RUNSTEAD_HOST": "127.0.0.2"}, {"port": 3, "host": None})
    assert (settings.port, settings.host, settings.run_lifetime) == (3, "127.0.0.2", 10)


def test_tables_are_read_from_the_file_only(file: Path) -> None:
    settings = load(file, {"RUNSTEAD_UPSTREAM": "b", "RUNSTEAD_ALIASES": "c", "RUNSTEAD_EMBEDDINGS": "d"}, {})
    assert settings.allowed_hosts == ("runs.example.com",)
    assert settings.allowed_origins == ("https://app.example.com", "http://localhost:3000", "chrome-extension://abc")
    assert settings.upstream == ({"name": "house", "url": "http://127.0.0.1:1/v1"},)
    assert settings.aliases == {"gpt-4o": "qwen3"}
    assert settings.embeddings == {"preset": "ollama", "model": "nomic-embed-text"}


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("RUNSTEAD_MODEL_URL", "http://127.0.0.1:1/v1", "model_url", "http://127.0.0.1:1/v1"),
        ("RUNSTEAD_MODEL_PRESET", "openai", "model_preset", "openai"),
        ("RUNSTEAD_MODEL_KEY", "123", "model_key", "123"),
        ("RUNSTEAD_EMBEDDINGS_URL", "http://127.0.0.1:1/v1", "embeddings_url", "http://127.0.0.1:1/v1"),
        ("RUNSTEAD_EMBEDDINGS_MODEL", "m", "embeddings_model", "m"),
        ("RUNSTEAD_REQUIRE_BETA_HEADER", "false", "require_beta_header", False),
        ("RUNSTEAD_PING_AFTER", "2.5", "ping_after", 2.5),
        ("RUNSTEAD_POLL_AFTER_MS", "20", "poll_after_ms", 20),
        ("RUNSTEAD_LOG_LEVEL", "debug", "log_level", "debug"),
        ("RUNSTEAD_ROLES", "api", "roles", ("api",)),
        ("RUNSTEAD_ROLES", "worker, api", "roles", ("worker", "api")),
        ("RUNSTEAD_ALLOWED_HOSTS", "a.example.com, b.example.com", "allowed_hosts", ("a.example.com", "b.example.com")),
        ("RUNSTEAD_ALLOWED_ORIGINS", "https://a.example.com", "allowed_origins", ("https://a.example.com",)),
        ("RUNSTEAD_BROKER", "nats://a:1,nats://b:2", "broker", "nats://a:1,nats://b:2"),
        ("RUNSTEAD_LEASE", "2.5", "lease", 2.5),
    ],
)
def test_a_variable_is_converted_to_the_type_of_its_setting(variable: str, text: str, name: str, value: Any) -> None:
    assert getattr(load(None, {variable: text}, {}), name) == value


@pytest.mark.parametrize(
    "origin",
    ["*", "https://*.example.com", "https://app.example.com/", "https://App.example.com", "app.example.com", "null"],
)
def test_an_origin_is_exactly_what_a_browser_sends(tmp_path: Path, origin: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'allowed_origins = ["{origin}"]')
    with pytest.raises(RunsteadError, match="allowed_origins"):
        load(file, {}, {})


def test_an_empty_variable_is_ignored() -> None:
    assert load(None, {"RUNSTEAD_MODEL_URL": "", "RUNSTEAD_PORT": ""}, {}) == Config()


def test_unknown_variables_are_ignored() -> None:
    assert (
        load(None, {"RUNSTEAD_URL": "http://127.0.0.1:1", "RUNSTEAD_API_KEY": "a", "RUNSTEAD_X": "b"}, {}) == Config()
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("RUNSTEAD_PORT", "tcp://127.0.0.1:8642"),
        ("RUNSTEAD_PORT", "-1"),
        ("RUNSTEAD_RUN_LIFETIME", "0"),
        ("RUNSTEAD_REQUIRE_BETA_HEADER", "maybe"),
        ("RUNSTEAD_PING_AFTER", "0"),
        ("RUNSTEAD_POLL_AFTER_MS", "0"),
        ("RUNSTEAD_BODY_LIMIT", "1"),
        ("RUNSTEAD_LOG_LEVEL", "loud"),
        ("RUNSTEAD_ROLES", "api,cook"),
        ("RUNSTEAD_ROLES", ","),
        ("RUNSTEAD_ALLOWED_HOSTS", "a.example.com,"),
        ("RUNSTEAD_ALLOWED_ORIGINS", "https://a.example.com,*"),
        ("RUNSTEAD_ANSWERS_LIMIT", "1000000"),
        ("RUNSTEAD_UNREAD_LIMIT", "1000"),
        ("RUNSTEAD_INSTALLATION", "Two words"),
        ("RUNSTEAD_INSTALLATION", "line\n"),
        ("RUNSTEAD_LEASE", "0"),
        ("RUNSTEAD_PROJECT_RUNS", "-1"),
        ("RUNSTEAD_ON_BUSY", "shout"),
    ],
)
def test_an_invalid_variable_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(RunsteadError, match=f"^{variable}: "):
        load(None, {variable: text}, {})


def test_roles_in_a_file_are_a_list_or_one_text(file: Path) -> None:
    for written in ('["api", "worker"]', '"api,worker"'):
        file.write_text(f"roles = {written}\n")
        assert load(file, {}, {}).roles == ("api", "worker")
    file.write_text("roles = []\n")
    with pytest.raises(RunsteadError, match="roles"):
        load(file, {}, {})


def test_keys_and_passwords_are_not_shown(file: Path) -> None:
    file.write_text(
        """
        model_key = "sk-secret"
        database = "postgresql://me:sk-secret@127.0.0.1/runs"
        broker = "nats://sk-secret@127.0.0.1:4222"
        [[upstream]]
        url = "http://127.0.0.1:1/v1"
        key = "sk-secret"
        """
    )
    assert "sk-secret" not in repr(load(file, {}, {}))


@pytest.mark.parametrize("name", ["run_lifetime", "max_runs", "project_runs", "project_queue"])
def test_a_number_that_a_database_cannot_store_is_refused(name: str) -> None:
    with pytest.raises(RunsteadError, match=f"RUNSTEAD_{name.upper()}: Expected `int` <= 9007199254740991"):
        load(None, {f"RUNSTEAD_{name.upper()}": "9223372036854775808"}, {})
