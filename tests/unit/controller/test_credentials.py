"""Who the operator is, and how a token that was replaced is noticed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import kopf
import pytest
import yaml
from aiohttp import web

from npuserve.controller.credentials import Credentials, NoCredentials, log_in


async def serve(accepted: set[str], seen: list[str]) -> tuple[web.AppRunner, str]:
    async def answer(request: web.Request) -> web.Response:
        header = request.headers.get("Authorization", "")
        seen.append(header)
        content = await request.read()
        return web.Response(status=200 if header in accepted else 401, body=content)

    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


def test_a_replaced_token_is_read_again_and_the_request_repeated_with_its_body() -> None:
    async def main() -> None:
        seen: list[str] = []
        runner, url = await serve({"Bearer new"}, seen)
        tokens = iter(["old", "new"])
        clock = iter(range(0, 1000, 2))
        credentials = Credentials(
            lambda: kopf.ConnectionInfo(server=url, token=next(tokens)), clock=lambda: next(clock)
        )
        async with credentials.session(connections=4) as session, session.post(url + "/", data=b"content") as response:
            assert (response.status, await response.read()) == (200, b"content")
        assert seen == ["Bearer old", "Bearer new"]
        await runner.cleanup()

    asyncio.run(main())


def test_many_requests_that_fail_together_log_in_once() -> None:
    async def main() -> None:
        seen: list[str] = []
        runner, url = await serve({"Bearer 2"}, seen)
        logins: list[int] = []

        def login() -> kopf.ConnectionInfo:
            logins.append(1)
            return kopf.ConnectionInfo(server=url, token=str(len(logins)))

        clock = iter(range(0, 10_000, 2))
        credentials = Credentials(login, clock=lambda: next(clock) % 40)
        async with credentials.session(connections=8) as session:

            async def ask() -> int:
                async with session.get(url + "/") as response:
                    return response.status

            assert await asyncio.gather(*(ask() for _ in range(8))) == [200] * 8
        assert len(logins) == 2
        await runner.cleanup()

    asyncio.run(main())


def test_the_login_is_read_again_every_minute_without_a_failure() -> None:
    async def main() -> None:
        seen: list[str] = []
        runner, url = await serve({"Bearer 1", "Bearer 2"}, seen)
        now = [0.0]
        logins: list[int] = []

        def login() -> kopf.ConnectionInfo:
            logins.append(1)
            return kopf.ConnectionInfo(server=url, token=str(len(logins)))

        credentials = Credentials(login, clock=lambda: now[0])
        async with credentials.session(connections=1) as session:
            for moment in (0.0, 59.0, 61.0):
                now[0] = moment
                async with session.get(url + "/"):
                    pass
        assert seen == ["Bearer 1", "Bearer 1", "Bearer 2"]
        await runner.cleanup()

    asyncio.run(main())


def a_kubeconfig(folder: Path, user: dict[str, object]) -> Path:
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:6443/"}}],
        "users": [{"name": "u", "user": user}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_kubeconfig_that_is_named_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(a_kubeconfig(tmp_path, {"token": "t"})))
    info = log_in()
    assert (info.server, info.token) == ("https://127.0.0.1:6443/", "t")


@pytest.mark.parametrize(
    "content", [None, "contexts: []", "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]"]
)
def test_a_kubeconfig_that_says_nothing_is_refused_in_one_sentence(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(NoCredentials):
        log_in()
