"""How much is measured: everything that a driver's option can change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.environments import Environments


@dataclass(frozen=True)
class Settings:
    """What the rows are told.

    Attributes:
        smoke: Whether this is the short run: small sizes, peers of the project's environment.
        folder: Where data sets and weights are kept between runs.
        environments: Of the peers.
        repetitions: How often each arm is measured.
        count: Pictures of the whole experiment.
        peers: Which peers.
        peer_folds: How many of the five folds each peer really runs.
        defaults: Whether the peers' default configurations are measured too.
        retries: How often a disturbed sample is made again.
        limits: What the machine can do at best; see `machine.measure_limits`.
        say: Told what happens.
    """

    smoke: bool
    folder: Path
    environments: Environments
    repetitions: int
    count: int
    peers: tuple[str, ...]
    peer_folds: int = 5
    defaults: bool = True
    retries: int = 0
    limits: Mapping[str, float] = field(default_factory=dict)
    say: Callable[[str], None] = print
