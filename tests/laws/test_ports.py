"""What holds of the ports by which the activator knows services, whoever comes and goes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from npuserve.plan.activation import allot

uids = st.text("abcdef0123456789-", min_size=1, max_size=36)
ranges = st.builds(lambda first, size: range(first, first + size), st.integers(1024, 60_000), st.integers(1, 12))


@st.composite
def situations(draw: st.DrawFn) -> tuple[range, dict[str, int]]:
    """Ports, and what services hold: in the range or beside it, alone or together."""
    ports = draw(ranges)
    held = draw(st.dictionaries(uids, st.integers(ports.start - 2, ports.stop + 2), max_size=14))
    return ports, held


@given(situations(), uids)
def test_a_port_is_in_the_range_and_nobody_elses_or_there_is_none_left(
    situation: tuple[range, dict[str, int]], uid: str
) -> None:
    ports, held = situation
    found = allot(uid, held, ports)
    others = {port for other, port in held.items() if other != uid}
    if found is None:
        assert set(ports) <= others
    else:
        assert found in ports
        assert found not in others or (found == held.get(uid) and all(uid <= o for o, p in held.items() if p == found))


@given(situations())
def test_once_every_service_was_looked_at_no_two_share_a_port_and_looking_again_changes_nothing(
    situation: tuple[range, dict[str, int]],
) -> None:
    ports, held = situation
    for uid in sorted(held):
        found = allot(uid, held, ports)
        held = {other: port for other, port in held.items() if other != uid} | ({uid: found} if found else {})
    assert len(set(held.values())) == len(held)
    assert all(allot(uid, held, ports) == port for uid, port in held.items())


@given(situations(), uids)
def test_a_service_keeps_its_port_whoever_else_comes_or_goes(situation: tuple[range, dict[str, int]], uid: str) -> None:
    ports, held = situation
    found = allot(uid, held, ports)
    if found is None:
        return
    others = {other: port for other, port in held.items() if port != found}
    assert allot(uid, {**others, uid: found}, ports) == found
    assert allot(uid, {uid: found}, ports) == found


@given(situations(), uids)
def test_the_order_in_which_services_are_known_makes_no_difference(
    situation: tuple[range, dict[str, int]], uid: str
) -> None:
    ports, held = situation
    assert allot(uid, dict(reversed(held.items())), ports) == allot(uid, held, ports)
