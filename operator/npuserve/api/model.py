"""Which model a service serves and where its weights come from.

A source is `SCHEME://PATH`; no segment of the path contains `..`, and the path never starts with a dash.
"""

from typing import Annotated

from pydantic import Field

from npuserve.api.shape import Shape
from npuserve.api.values import OptionalObjectName

_SEGMENT = r"\.?[A-Za-z0-9_@:+=-]+(\.[A-Za-z0-9_@:+=-]+)*"

ModelUri = Annotated[
    str,
    Field(
        pattern=rf"^((modelscope|hf|pvc|oci|s3)://|host:///)[A-Za-z0-9][A-Za-z0-9_@:+=-]*(\.[A-Za-z0-9_@:+=-]+)*(/{_SEGMENT})*/?$",
        max_length=1024,
        examples=[
            "modelscope://Qwen/Qwen3-32B",
            "hf://Qwen/Qwen3-32B",
            "pvc://weights/Qwen3-32B",
            "oci://registry.example.com/models/qwen3-32b:1.0",
            "s3://models/Qwen3-32B",
        ],
    ),
]


class SecretReference(Shape):
    """A Secret in the namespace of the service."""

    name: OptionalObjectName = Field(default="", examples=["hub-token"])
    """Name of the Secret. Empty: none is used."""


class ConfigMapReference(Shape):
    """A ConfigMap in the namespace of the service."""

    name: OptionalObjectName = Field(default="", examples=["my-model-config"])
    """Name of the ConfigMap. Empty: none is used."""


class Cache(Shape):
    """A volume that keeps downloaded weights."""

    claim_name: OptionalObjectName = Field(default="", examples=["weights"])
    """Name of a PersistentVolumeClaim in the namespace of the service, for example `weights`. Replicas on several nodes
    share it, so its access mode is ReadWriteMany. Empty: weights are downloaded into each replica's own scratch space.
    """


class ModelSource(Shape):
    """The model that a service serves and where its weights come from."""

    uri: ModelUri
    """Where the weights are: `modelscope://ORG/NAME`, `hf://ORG/NAME`, `pvc://CLAIM/PATH`,
    `oci://REGISTRY/REPOSITORY:TAG` or `s3://BUCKET/PREFIX`, for example `modelscope://Qwen/Qwen3-32B`. A `pvc` source
    is mounted read-only, an `oci` source is mounted as an image volume, and the others are downloaded. `host:///PATH`
    reads a directory of the node and is refused unless the operator's configuration opens it for the namespace.
    Required."""

    revision: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]*([./][A-Za-z0-9_-]+)*)?$",
        max_length=128,
        examples=["main", "v1.0.0"],
    )
    """Branch, tag or commit of a `modelscope` or `hf` source, for example `v1.0.0`. Empty: the hub's default branch."""

    served_name: str = Field(
        default="",
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._/:@+-]*)?$",
        max_length=128,
        examples=["Qwen3-32B"],
    )
    """Name under which clients ask for the model in the `model` field of their requests, for example `Qwen3-32B`.
    Empty: the last segment of `uri`."""

    secret_ref: SecretReference = Field(default_factory=SecretReference)
    """Secret with the credentials of the source: key `token` for `modelscope` and `hf`, keys `accessKeyId` and
    `secretAccessKey` for `s3`. Empty: the source is read anonymously."""

    cache: Cache = Field(default_factory=Cache)
    """Existing volume in which downloaded weights are kept and from which every replica reads them. Empty: every
    replica downloads the weights for itself."""

    config_map_ref: ConfigMapReference = Field(default_factory=ConfigMapReference)
    """ConfigMap that describes a model which the built-in catalogue does not know: its Hugging Face `config.json` under
    the key `config.json` and, for quantized weights, `quant_model_description.json` under that key. Empty: the
    catalogue is asked."""

    @property
    def scheme(self) -> str:
        """The part of `uri` before `://`, for example `hf`."""
        return self.uri.partition("://")[0]

    @property
    def path(self) -> str:
        """The part of `uri` after `://` without a slash at its end, for example `Qwen/Qwen3-32B`."""
        return self.uri.partition("://")[2].rstrip("/")
