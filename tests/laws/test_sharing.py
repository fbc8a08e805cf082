"""What holds of the room that services get, whatever they want."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from npuserve.autoscale.settings import Room
from npuserve.cluster.facts import ClusterFacts
from npuserve.cluster.quotas import Left, Quota
from npuserve.plan.sharing import Claim, rooms
from tests.support.clusters import A2_64G, cluster, named
from tests.support.plans import a_plan

NODES = cluster(*(named(A2_64G, f"a2-{number}") for number in range(4)))


@st.composite
def all_claims(draw: st.DrawFn) -> list[Claim]:
    found = []
    for number in range(draw(st.integers(1, 6))):
        present = draw(st.integers(0, 3))
        found.append(
            Claim(
                key=f"service-{number}",
                namespace=draw(st.sampled_from(["ml", "search"])),
                plan=a_plan(devices=draw(st.sampled_from([1, 2, 4, 8]))),
                priority=draw(st.integers(0, 2)),
                priority_class="",
                present=present,
                waiting=0,
                wanted=draw(st.integers(present, 12)),
            )
        )
    return found


clusters = st.builds(
    lambda used: replace(NODES, used={f"a2-{number}": count for number, count in enumerate(used)}),
    st.lists(st.integers(0, 8), min_size=4, max_size=4),
)
quotas = st.one_of(
    st.just(()),
    st.builds(lambda left: (Quota("ml", "npus", (Left("huawei.com/Ascend910", 64, left),)),), st.integers(0, 32)),
)


@given(all_claims(), clusters, quotas, st.randoms(use_true_random=False))
def test_the_order_in_which_services_are_seen_changes_nothing(
    claims: list[Claim], facts: ClusterFacts, limits: tuple[Quota, ...], random: object
) -> None:
    expected = rooms(claims, facts, limits)
    shuffled = list(claims)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert rooms(shuffled, facts, limits) == expected


@given(all_claims(), clusters, quotas)
def test_what_services_get_of_what_they_want_fits_together(
    claims: list[Claim], facts: ClusterFacts, limits: tuple[Quota, ...]
) -> None:
    found = rooms(claims, facts, limits)
    taken: Counter[str] = Counter()
    for claim in claims:
        new = min(claim.wanted, _room(found, claim).replicas) - claim.present
        assert new >= 0
        taken[""] += new * claim.plan.devices
        taken[claim.namespace] += new * claim.plan.devices
    assert taken[""] <= sum(facts.free(node) for node in facts.nodes)
    assert taken["ml"] <= sum(limit.left for quota in limits for limit in quota.limits) or not limits


@given(all_claims(), clusters)
def test_nobody_waits_behind_a_service_of_lower_priority(claims: list[Claim], facts: ClusterFacts) -> None:
    same = [replace(claim, plan=a_plan(devices=1)) for claim in claims]
    found = rooms(same, facts, ())
    for one in same:
        hungry = _room(found, one).replicas < one.wanted
        below = [other for other in same if other.priority < one.priority]
        assert not hungry or all(_room(found, other).replicas == other.present for other in below)


def _room(found: dict[str, Room | None], claim: Claim) -> Room:
    room = found[claim.key]
    assert room is not None
    return room
