"""What is wanted of a summary beside the metrics of every epoch."""

from dataclasses import dataclass

from fivefold.config import ExperimentConfig
from fivefold.evaluation import base_of, is_metric


@dataclass(frozen=True)
class Asked:
    """What is wanted of a summary beside the metrics of every epoch.

    Attributes:
        finals: Metrics that are computed once, after training.
        result: What stands for the whole experiment; empty: the primary metric.
    """

    finals: tuple[str, ...] = ()
    result: str = ""

    @classmethod
    def by(cls, config: ExperimentConfig) -> "Asked":
        """Read it from a config; what is to be the result is computed too."""
        result = config.experiment_result or ""
        wanted = [name for name, _ in config.final_metrics]
        # Of several heads one may be meant, whose metric comes with the metric itself.
        is_one = is_metric(base_of(result), of_masks=config.makes_masks)
        wanted += [base_of(result)] if is_one else []
        seen = {name.casefold() for name in config.metrics}
        finals = []
        for name in wanted:
            if name.casefold() not in seen:
                finals.append(name)
                seen.add(name.casefold())
        return cls(tuple(finals), result)
