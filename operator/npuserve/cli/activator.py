"""`npuserve activator`: the process that holds requests to services without replicas."""

from __future__ import annotations

import sys

import click

_MIB = 1 << 20


@click.command()
@click.option(
    "--namespace", envvar="NPUSERVE_WATCH_NAMESPACE", default="", help="The one namespace to serve; else all."
)
@click.option("--address", envvar="NPUSERVE_HTTP_ADDRESS", help="Address to listen on; else every one.")
@click.option(
    "--http-port",
    envvar="NPUSERVE_HTTP_PORT",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port of /healthz, /readyz and /metrics; 0 takes a free one.",
)
@click.option(
    "--body-mebibytes",
    envvar="NPUSERVE_BODY_MEBIBYTES",
    type=click.IntRange(1, 1024),
    default=32,
    show_default=True,
    help="Longest body of a request.",
)
@click.option(
    "--held-mebibytes",
    envvar="NPUSERVE_HELD_MEBIBYTES",
    type=click.IntRange(1, 65536),
    default=256,
    show_default=True,
    help="Memory for the bodies of all requests that wait.",
)
@click.option(
    "--comment-seconds",
    envvar="NPUSERVE_COMMENT_SECONDS",
    type=click.FloatRange(0.1, 300),
    default=10.0,
    show_default=True,
    help="Time between two comments on a stream that waits.",
)
@click.option(
    "--linger-seconds",
    envvar="NPUSERVE_LINGER_SECONDS",
    type=click.FloatRange(0, 60),
    default=5.0,
    show_default=True,
    help="Time for which connections are still taken after SIGTERM.",
)
@click.option(
    "--stop-seconds",
    envvar="NPUSERVE_STOP_SECONDS",
    type=click.FloatRange(0, 86_400),
    default=600.0,
    show_default=True,
    help="Time for which requests may still wait after that.",
)
@click.option(
    "--log-level",
    envvar="NPUSERVE_LOG_LEVEL",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
    default="INFO",
    show_default=True,
)
@click.option(
    "--log-format", envvar="NPUSERVE_LOG_FORMAT", type=click.Choice(["json", "text"]), default="json", show_default=True
)
def activator(
    namespace: str,
    address: str | None,
    *,
    http_port: int,
    body_mebibytes: int,
    held_mebibytes: int,
    comment_seconds: float,
    linger_seconds: float,
    stop_seconds: float,
    log_level: str,
    log_format: str,
) -> None:
    """Hold requests to services that have no replica until one answers; the chart runs it where it is enabled."""
    from npuserve.activator.desk import Limits
    from npuserve.activator.run import Setting, run

    limits = Limits(body=body_mebibytes * _MIB, kept=held_mebibytes * _MIB, comment=comment_seconds)
    setting = Setting(
        namespace=namespace,
        address=address or None,
        http_port=http_port,
        limits=limits,
        linger=linger_seconds,
        stop=stop_seconds,
        log_level=log_level,
        log_format=log_format,
    )
    sys.exit(run(setting))
