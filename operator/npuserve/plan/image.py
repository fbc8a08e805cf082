"""Which image runs: an override of the configuration, else the engine's published one, seen through the configured
mirrors."""

from __future__ import annotations

from npuserve.api.conditions import Reason
from npuserve.chips import Product
from npuserve.configuration import Images
from npuserve.engines.contract import Engine
from npuserve.plan.plan import Refusal


def decide_image(engine: Engine, version: str, product: Product, images: Images) -> str | Refusal:
    """The image reference to pull."""
    for override in images.overrides:
        if (
            override.engine == engine.name
            and override.version in ("", version)
            and (
                not override.product or product.id == override.product or product.id.startswith(override.product + " ")
            )
        ):
            return override.image
    published = engine.image(product, version, os=images.os)
    if published is None:
        return Refusal(
            Reason.UNSUPPORTED_BACKEND,
            "spec.backend",
            f"no image of {engine.name} {version} for {product.id} is published; the platform team can name one in images.overrides",
        )
    return mirrored(published, images.mirrors)


def mirrored(image: str, mirrors: dict[str, str]) -> str:
    """The image under the longest prefix that a mirror replaces: `{quay.io: mirror.example/quay}`."""
    for prefix in sorted(mirrors, key=len, reverse=True):
        if image.startswith(prefix.rstrip("/") + "/"):
            return mirrors[prefix].rstrip("/") + image[len(prefix.rstrip("/")) :]
    return image
