"""All that was measured, for JSON."""

from collections.abc import Mapping
from typing import Any

from fivefold.evaluation.assessment import Assessment
from fivefold.evaluation.mask_assessment import MaskAssessment


def record_of(
    assessments: Mapping[str, Assessment] | Mapping[str, MaskAssessment],
    measured: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Put together what scripts may read; None stands for what is undefined.

    Args:
        assessments: What of, such as `out-of-fold`, to how good it is.
        measured: The metrics that the config asks for, as `Experiment.evaluate` gives them.
    """
    found = {name: assessment.record() for name, assessment in assessments.items()}
    return {**(measured or {}), "assessments": found}
