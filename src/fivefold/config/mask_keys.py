"""Keys of architectures that make masks."""

from typing import Annotated, TypeAlias

from pydantic import Field

from fivefold.config.fields import Name

Encoder: TypeAlias = Annotated[
    Name | None,
    Field(
        description="Of an architecture that makes masks: the net whose maps it decodes, a name of "
        "`fivefold list backbones`; required to train one."
    ),
]
