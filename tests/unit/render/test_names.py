"""What the objects of a service are called."""

from __future__ import annotations

import re

import pytest

from npuserve.engines.launch import File
from npuserve.render.names import LONGEST_CHILD, child_name, config_name, label_value

DNS_1035 = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
LABEL_VALUE = re.compile(r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$")
ODD_NAMES = (
    "qwen2.5-72b",
    "7b-chat",
    "a" * 63,
    "a" * 253,
    ("x" * 42) + "-" + ("y" * 20),
    "a.b",
    "1",
    "a" * 43 + ".-b".replace(".-", "."),
)


@pytest.mark.parametrize("name", ["qwen3-32b", "a", "a" * LONGEST_CHILD])
def test_a_name_that_is_a_short_dns_1035_label_stays_as_it_is(name: str) -> None:
    assert child_name(name) == name


@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_other_name_becomes_a_dns_1035_label_of_at_most_52_characters(name: str) -> None:
    changed = child_name(name)
    assert changed != name
    assert DNS_1035.match(changed)
    assert len(changed) <= LONGEST_CHILD


def test_names_that_would_fall_together_stay_apart() -> None:
    names = ("a.b", "a-b", "a" * 60 + "x", "a" * 60 + "y", "7b", "s-7b")
    assert len({child_name(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["qwen3-32b", *ODD_NAMES])
def test_a_config_name_holds_its_content_and_fits_63_characters(name: str) -> None:
    one = config_name(name, [File("a", "1")])
    assert one.startswith(child_name(name))
    assert len(one) <= 63
    assert one == config_name(name, [File("a", "1")])
    assert one != config_name(name, [File("a", "2")])
    assert one != config_name(name, [File("b", "1")])


def test_content_that_moves_between_files_gives_another_config_name() -> None:
    assert config_name("a", [File("x", "1"), File("y", "2")]) != config_name("a", [File("x", "1y2")])


@pytest.mark.parametrize("name", ["a" * 63, "a" * 64, "a" * 253, "a" * 53 + "." + "b" * 30])
def test_a_label_value_is_legal_whatever_the_name(name: str) -> None:
    value = label_value(name)
    assert len(value) <= 63
    assert LABEL_VALUE.match(value)
    assert (value == name) is (len(name) <= 63)
