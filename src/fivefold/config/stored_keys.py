"""Types of the keys that go with data stored by other packages: WebDataset and the hub."""

from typing import Annotated, TypeAlias

from pydantic import Field

from fivefold.config.fields import Name

SHARD_KEYS = ("image_column", "label_column", "separator")
"""The keys that go with tar files."""
HUB_KEYS = ("split", "image_column", "label_column", "revision", "streamed")
"""The keys that go with a data set of the hub."""

Shards: TypeAlias = Annotated[
    Name | None,
    Field(
        description="Tar files as WebDataset writes them, such as `train-{000..009}.tar`; "
        "`image_column` and `label_column` name endings of members, or a key of their JSON."
    ),
]
Hub: TypeAlias = Annotated[
    Name | None,
    Field(
        description="A data set of the Hugging Face hub by its name, or a folder that its package "
        "can open; `image_column` and `label_column` name its columns; needs the extra `hub`."
    ),
]
Split: TypeAlias = Annotated[
    Name | None, Field(description="With `hub`: which part; default the only one, or `train`.")
]
Revision: TypeAlias = Annotated[
    Name | None, Field(description="With `hub`: a branch, tag or commit; default the newest.")
]
Streamed: TypeAlias = Annotated[
    bool,
    Field(
        description="With `hub`: read rows from the server and keep only their pixels, in the "
        "cache."
    ),
]
