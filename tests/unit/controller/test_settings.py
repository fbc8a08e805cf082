"""How the operator's process is set up."""

from __future__ import annotations

from pathlib import Path

import pytest

from npuserve.settings import Settings, SettingsError, read_settings


def test_an_empty_environment_gives_every_default_but_the_identity() -> None:
    settings = read_settings({"POD_NAME": "npuserve-0"})
    assert settings == Settings(identity="npuserve-0")


def test_every_variable_reaches_its_setting() -> None:
    settings = read_settings(
        {
            "NPUSERVE_CONFIG": "/etc/npuserve/config.yaml",
            "NPUSERVE_NAMESPACE": "platform",
            "NPUSERVE_WATCH_NAMESPACE": "team-a",
            "NPUSERVE_WORKERS": "4",
            "NPUSERVE_HTTP_ADDRESS": "127.0.0.1",
            "NPUSERVE_HTTP_PORT": "0",
            "NPUSERVE_LEADER_ELECTION": "False",
            "NPUSERVE_LOG_LEVEL": "debug",
            "NPUSERVE_LOG_FORMAT": "TEXT",
            "POD_NAME": "npuserve-1",
        }
    )
    assert settings == Settings(
        config=Path("/etc/npuserve/config.yaml"),
        namespace="platform",
        watch_namespace="team-a",
        workers=4,
        http_address="127.0.0.1",
        http_port=0,
        leader_election=False,
        log_level="DEBUG",
        log_format="text",
        identity="npuserve-1",
    )


def test_two_processes_of_one_host_never_sign_alike() -> None:
    assert read_settings({}).identity.endswith(f"-{__import__('os').getpid()}")


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("NPUSERVE_WORKERS", "0", "a whole number from 1 to 256"),
        ("NPUSERVE_WORKERS", "many", "a whole number from 1 to 256"),
        ("NPUSERVE_HTTP_PORT", "65536", "a whole number from 0 to 65535"),
        ("NPUSERVE_LEADER_ELECTION", "maybe", "true or false"),
        ("NPUSERVE_NAMESPACE", "Team A", "one namespace"),
        ("NPUSERVE_WATCH_NAMESPACE", "a,b", "one namespace"),
        ("NPUSERVE_LOG_LEVEL", "LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
        ("NPUSERVE_LOG_FORMAT", "xml", "one of json, text"),
    ],
)
def test_an_unusable_value_is_refused_by_the_name_of_its_variable(variable: str, value: str, wanted: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({variable: value})
    assert variable in str(refused.value)
    assert wanted in str(refused.value)
