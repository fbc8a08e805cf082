"""What a replica shows to those who ask it by its address, and where the Service sends its clients."""

from __future__ import annotations

import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from npuserve.controller.resources import PODS
from npuserve.render.labels import SERVE
from npuserve.render.names import child_name
from tests.support.clients import Conversation, ask, chat
from tests.support.endpoints import Endpoint, Proxy
from tests.support.tenant import Tenant
from tests.support.waiting import NotYet, until
from tests.support.world import World, talking


def way_to(world: World, tenant: Tenant, name: str) -> Proxy:
    return Proxy(world.site.api, tenant.namespace, child_name(name))


def wait_for_endpoints(proxy: Proxy, count: int) -> tuple[Endpoint, ...]:
    return until(lambda: found if len(found := proxy.look()) == count else NotYet(f"endpoints are {found}"))


def gauge(address: str, name: str, port: int = 8000) -> float:
    with urllib.request.urlopen(f"http://{address}:{port}/metrics", timeout=5) as answer:
        page = answer.read().decode()
    families = text_string_to_metric_families(page)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def test_every_replica_has_its_own_numbers_on_its_own_address(ground: World, tenant: Tenant) -> None:
    tenant.ask("chat", replicas=2)
    tenant.wait_until_ready("chat")
    proxy = way_to(ground, tenant, "chat")
    wait_for_endpoints(proxy, 2)
    one, other = (endpoint.address for endpoint in proxy.endpoints)
    assert {one, other} == {pod["status"]["podIP"] for pod in tenant.pods("chat")}
    told = [ground.background.run(ask(proxy, chat(12, prompt=30))) for _ in range(6)]
    assert [item.tokens for item in told] == [12] * 6
    sent = {
        address: sum(item.endpoint.address == address for item in told if item.endpoint) for address in (one, other)
    }
    assert ground.engines.requests().items() >= {a: n for a, n in sent.items() if n}.items()
    for address, count in sent.items():
        assert gauge(address, "vllm:generation_tokens_total") == 12 * count
        assert gauge(address, "vllm:prompt_tokens_total") == 30 * count
        assert gauge(address, "vllm:num_requests_running") == 0


def test_a_replica_without_the_serving_label_keeps_running_and_gets_no_new_connection(
    ground: World, tenant: Tenant
) -> None:
    tenant.ask("chat", replicas=2)
    tenant.wait_until_ready("chat")
    proxy = way_to(ground, tenant, "chat")
    wait_for_endpoints(proxy, 2)
    before, (leaver, stayer) = tenant.pod_uids("chat"), tenant.pods("chat")
    change = {"metadata": {"labels": {SERVE: None}}}
    ground.site.api.merge(PODS, tenant.namespace, leaver["metadata"]["name"], change)
    wait_for_endpoints(proxy, 1)
    assert [endpoint.address for endpoint in proxy.endpoints] == [stayer["status"]["podIP"]]
    assert tenant.pod_uids("chat") == before
    tenant.wait_until_ready("chat")


def test_a_kept_alive_connection_stays_with_a_replica_that_left_the_service(ground: World, tenant: Tenant) -> None:
    """Which is why leaving the endpoints is not the end of a drain."""
    tenant.ask("chat", replicas=2)
    tenant.wait_until_ready("chat")
    proxy = way_to(ground, tenant, "chat")
    wait_for_endpoints(proxy, 2)
    client = Conversation(proxy, pause=0.05, tokens=2)
    with talking(ground, client):
        first = until(lambda: client.accounts[0] if client.accounts else NotYet("no answer"))
        assert first.endpoint is not None
        (pod,) = [pod for pod in tenant.pods("chat") if pod["status"]["podIP"] == first.endpoint.address]
        change = {"metadata": {"labels": {SERVE: None}}}
        ground.site.api.merge(PODS, tenant.namespace, pod["metadata"]["name"], change)
        wait_for_endpoints(proxy, 1)
        seen = len(client.accounts)
        until(lambda: True if len(client.accounts) > seen + 3 else NotYet("no further answer"))
    assert client.dialled == 1
    assert {told.endpoint for told in client.accounts} == {first.endpoint}
    assert not [told for told in client.accounts if told.lost]


def test_a_deleted_pod_finishes_its_streams_before_it_ends(ground: World, tenant: Tenant) -> None:
    tenant.ask("chat", replicas=2)
    tenant.wait_until_ready("chat")
    proxy = way_to(ground, tenant, "chat")
    wait_for_endpoints(proxy, 2)
    streams = [ground.background.start(ask(proxy, chat(400))) for _ in range(8)]
    until(lambda: True if sum(ground.background.call(ground.engines.in_flight).values()) >= 8 else NotYet("not there"))
    (victim, *_) = tenant.pods("chat")
    ground.site.api.delete(PODS, tenant.namespace, victim["metadata"]["name"])
    told = [stream.result(60) for stream in streams]
    assert [item.problem for item in told if item.lost] == []
    assert {item.tokens for item in told} == {400}
    uid = victim["metadata"]["uid"]
    until(lambda: NotYet("it is there") if uid in {pod["metadata"]["uid"] for pod in tenant.all_pods("chat")} else True)
    assert ground.engines.cut == {}


def test_a_replica_that_dies_loses_its_streams_and_that_is_seen(ground: World, tenant: Tenant) -> None:
    """Else a test that finds nothing lost would say nothing."""
    tenant.ask("chat")
    tenant.wait_until_ready("chat")
    proxy = way_to(ground, tenant, "chat")
    (address,) = (endpoint.address for endpoint in wait_for_endpoints(proxy, 1))
    streams = [ground.background.start(ask(proxy, chat(400))) for _ in range(4)]
    until(lambda: True if ground.background.call(ground.engines.in_flight).get(address) == 4 else NotYet("not there"))
    ground.background.call(lambda: ground.engines.kill(address))
    told = [stream.result(60) for stream in streams]
    assert all(item.lost and item.problem for item in told)
    assert ground.engines.cut.pop(address) == 4
    assert ground.background.run(ask(proxy, chat(4))).lost
    assert address in {asked.address for asked in ground.engines.missed}
