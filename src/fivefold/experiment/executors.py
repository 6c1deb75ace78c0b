"""Where folds run. Each executor gives the same results as this one."""

from collections.abc import Callable, Iterator, Sequence

from fivefold.experiment.plan import Job


def run_here(jobs: Sequence[Job], worker: Callable[[Job], int]) -> Iterator[int]:
    """Run one fold after the other in this process; yields each fold when it is done."""
    for job in jobs:
        yield worker(job)
