"""The vocabulary of the status."""

import pytest

from npuserve.api.conditions import ConditionType, Reason


@pytest.mark.parametrize("word", [*ConditionType, *Reason])
def test_a_word_is_its_member_in_camel_case_and_has_a_meaning(word: ConditionType | Reason) -> None:
    assert word == word.value == "".join(part.capitalize() for part in word.name.split("_"))
    assert word.meaning.endswith(".")


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.fix])
def test_a_fix_is_a_sentence(reason: Reason) -> None:
    assert reason.fix.endswith(".")


@pytest.mark.parametrize("prefix", ["Unknown", "Unsupported", "Illegal", "Invalid", "Reserved", "Forbidden"])
def test_every_refusal_says_what_to_do(prefix: str) -> None:
    refusals = [reason for reason in Reason if reason.startswith(prefix)]
    assert refusals
    assert all(reason.fix for reason in refusals)


def test_a_word_reads_as_itself_in_text_and_json() -> None:
    assert f"{Reason.MODEL_TOO_LARGE}" == "ModelTooLarge"
    assert Reason("ModelTooLarge") is Reason.MODEL_TOO_LARGE
