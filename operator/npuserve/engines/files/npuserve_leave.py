"""ASGI middleware of a replica: once it is to end, every answer closes its connection, and clients open the next one
elsewhere. The drain makes the file `leaving` beside this one."""

from pathlib import Path
from typing import Any

_MARK = Path(__file__).with_name("leaving")
_CLOSE = (b"connection", b"close")


def _leaving() -> bool:
    return _MARK.exists()


class Leave:
    """The application, with that farewell."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_farewell(message: Any) -> None:
            if message["type"] == "http.response.start" and _leaving():
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        await self._app(scope, receive, send_farewell if scope["type"] == "http" else send)
