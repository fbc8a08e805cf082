"""Where the weights are: a model URI in, what the engine is given to read out.

`modelscope://org/name` and `hf://org/name` are downloaded by the engine, `pvc://claim/path` and `oci://image` are
mounted read-only, `host:///path` only under the roots that the namespace's profile opens. `s3://` needs a loader, which
this version does not have.
"""

from __future__ import annotations

from posixpath import normpath
from typing import Literal

from npuserve.api.conditions import Reason
from npuserve.api.model import ModelSource
from npuserve.configuration import Profile
from npuserve.engines.launch import SecretValue
from npuserve.engines.weights import HostWeights, HubWeights, ImageWeights, VolumeWeights, Weights
from npuserve.plan.plan import Refusal

TOKEN_KEY = "token"  # noqa: S105  the key of a secret, not a secret
_HUBS: dict[str, Literal["modelscope", "huggingface"]] = {"modelscope": "modelscope", "hf": "huggingface"}


def catalogue_path(source: ModelSource) -> str:
    """The `org/name` under which the catalogue and `--models` know the model; for a claim the path in it, for an image
    the repository without registry."""
    if source.scheme in _HUBS or source.scheme == "host":
        return source.path.strip("/")
    inside = source.path.partition("/")[2]
    if source.scheme != "oci":
        return inside
    repository = inside.partition("@")[0]
    return repository.rpartition(":")[0] or repository


def default_served_name(source: ModelSource) -> str:
    """The last segment of the URI, without an image's tag."""
    return source.path.rstrip("/").rpartition("/")[2].partition(":")[0].partition("@")[0]


def locate(source: ModelSource, profile: Profile) -> Weights | Refusal:
    """What the engine reads, or why the source cannot be used."""
    match source.scheme:
        case "modelscope" | "hf":
            return _hub(source)
        case "pvc":
            claim, _, directory = source.path.partition("/")
            return VolumeWeights(claim=claim, directory=directory)
        case "oci":
            return ImageWeights(reference=source.path)
        case "host":
            return _host(source, profile)
        case _:
            return Refusal(
                Reason.UNSUPPORTED_SOURCE,
                "spec.model.uri",
                f"{source.scheme}:// needs a loader, which this version does not have; copy the weights to a volume claim and use pvc://CLAIM/PATH, "
                "or name the model on a hub with modelscope:// or hf://",
            )


def _hub(source: ModelSource) -> HubWeights | Refusal:
    if source.path.count("/") != 1:
        return Refusal(
            Reason.INVALID_SPEC,
            "spec.model.uri",
            f"{source.uri!r} names no repository; write {source.scheme}://ORGANISATION/NAME",
        )
    secret = source.secret_ref.name
    return HubWeights(
        hub=_HUBS[source.scheme],
        repository=source.path,
        revision=source.revision,
        cache=source.cache.claim_name,
        token=SecretValue(secret, TOKEN_KEY) if secret else None,
    )


def _host(source: ModelSource, profile: Profile) -> HostWeights | Refusal:
    directory = normpath("/" + source.path.strip("/"))
    roots = profile.host_path_roots
    if any(directory == root.rstrip("/") or directory.startswith(root.rstrip("/") + "/") for root in roots):
        return HostWeights(directory=directory)
    opened = f"it opens {', '.join(roots)}" if roots else "it opens none"
    return Refusal(
        Reason.UNSUPPORTED_SOURCE,
        "spec.model.uri",
        f"{directory} is not under a directory that the configuration's profile {profile.name!r} opens ({opened}); use pvc://CLAIM/PATH",
    )
