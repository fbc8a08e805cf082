"""Which image runs: an override of the configuration, else the engine's published one, seen through the configured
mirrors and registry."""

from __future__ import annotations

from npuserve.api.conditions import Reason
from npuserve.chips import Product, chip_name
from npuserve.configuration import ImageOverride, Images
from npuserve.engines.contract import Engine
from npuserve.plan.plan import Refusal


def decide_image(engine: Engine, version: str, product: Product, images: Images) -> str | Refusal:
    """The image reference to pull."""
    for override in images.overrides:
        if (
            override.engine == engine.name
            and override.version in ("", version)
            and override.os in ("", images.os)
            and _covers(override, product)
        ):
            return override.image
    published = engine.image(product, version, os=images.os)
    if published is None:
        return Refusal(
            Reason.UNSUPPORTED_BACKEND,
            "spec.backend",
            f"no image of {engine.name} {version} for {product.id} is published; the platform team can name one in images.overrides",
        )
    return mirrored(published, images.mirrors, images.registry)


def _covers(override: ImageOverride, product: Product) -> bool:
    chip = override.chip
    carried = not chip or chip.casefold() == product.generation.casefold() or chip_name(chip) in product.chips
    named = not override.product or f"{product.id} ".startswith(f"{override.product} ")
    return carried and named


def mirrored(image: str, mirrors: dict[str, str], registry: str = "") -> str:
    """The image under the longest prefix that a mirror replaces (`{quay.io: mirror.example/quay}`), else under the
    registry in place of its own."""
    for prefix in sorted(mirrors, key=len, reverse=True):
        if image.startswith(prefix.rstrip("/") + "/"):
            return mirrors[prefix].rstrip("/") + image[len(prefix.rstrip("/")) :]
    own, _, rest = image.partition("/")
    return f"{registry.rstrip('/')}/{rest}" if registry and "." in own else image
