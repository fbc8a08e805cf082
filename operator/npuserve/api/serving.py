"""How the engine serves: parallel sizes, context limits and who may ask."""

from pydantic import Field

from npuserve.api.model import SecretReference
from npuserve.api.shape import Shape
from npuserve.api.values import ParallelSize


class Parallelism(Shape):
    """How one replica spreads the model over its devices. What is empty is decided by the plan."""

    tensor: ParallelSize | None = None
    """Tensor parallel size: the devices that share every layer, for example 4. It divides the number of attention
    heads. Empty: decided by the plan."""

    pipeline: ParallelSize | None = None
    """Pipeline parallel size: the groups of devices that hold consecutive layers, for example 2. Empty: decided by the
    plan, 1 where the model fits without."""

    data: ParallelSize | None = None
    """Data parallel size: the copies of the attention layers in one replica, for example 2.

    Empty: decided by the plan.
    """

    expert: bool | None = None
    """Whether the experts of a mixture-of-experts model are spread over all devices of the replica instead of being cut
    by tensor parallelism. Empty: decided by the plan."""


class Context(Shape):
    """How long sequences may be, and how many are worked on at once."""

    max_model_len: int | None = Field(default=None, ge=1, le=16_777_216, examples=[32768])
    """Longest sequence in tokens, prompt and answer together, for example 32768. Empty: what the model was made
    for, at most 32768; half of that and less, down to 4096, where the key-value cache holds no more."""

    max_sequences: int | None = Field(default=None, ge=1, le=65_536, examples=[64])
    """Sequences that one data-parallel rank works on at the same time, for example 64. Empty: decided by the plan from
    the memory left for the key-value cache."""


class Auth(Shape):
    """Who may send requests."""

    api_key_secret_ref: SecretReference = Field(default_factory=SecretReference)
    """Secret whose key `token` holds the API key that clients send as a bearer token. Refused on an engine that cannot
    check a key. Empty: requests need no key."""
