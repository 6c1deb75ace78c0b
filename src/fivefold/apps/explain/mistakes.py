"""Small overlays of the surest mistakes, which the report shows."""

import hashlib
import io
import logging
import time
from contextlib import closing
from typing import Any

from PIL import Image as Pillow

from fivefold.apps.explain.overlay import as_seen, laid_over
from fivefold.core.predictions import Predictions
from fivefold.core.types import Image
from fivefold.engine.examples import surest_mistakes, worst_answers
from fivefold.experiment.explaining import ClassMap, Explanation
from fivefold.experiment.explains import Explains
from fivefold.experiment.explanations import Overlay, Overlays, write_overlays
from fivefold.experiment.trained import stage_index, trained_folds
from fivefold.experiment.unseen import out_of_fold

logger = logging.getLogger(__name__)

MOST = 12
_SIDE, _ALPHA = 224, 0.6
_MOST_BYTES = 30_000
_SECONDS = 20.0


def explain_mistakes(
    experiment: Explains, dataset: Any = None, *, seconds: float | None = _SECONDS
) -> int:
    """Draw where models looked in the surest mistakes out of fold, into the run folder.

    Args:
        experiment: Trained.
        dataset: As for `fit`, where the config names no data.
        seconds: After so many no other is begun; None is any time.

    Returns:
        How many there are now.

    Raises:
        FivefoldError: If the models or the data cannot be read.
    """
    stage = stage_index(experiment.folder, experiment.config, -1)
    folds = trained_folds(experiment.folder, experiment.config, None, stage)
    worst = _wrong_answers(out_of_fold(experiment.folder, folds, stage))
    until = None if seconds is None else time.monotonic() + seconds
    drawn: dict[str, tuple[ClassMap, int, bytes]] = {}
    layer = ""
    found = experiment.explain_samples(list(worst), dataset=dataset)
    with closing(found):
        for one in found:
            answer, layer = _about(one, worst[one.sample_id]), one.layer
            if answer is not None:
                picture = laid_over(as_seen(one.image, _SIDE, _SIDE), answer.heat, _ALPHA)
                drawn[one.sample_id] = (answer, one.folds[0], _jpeg(picture))
            if until is not None and time.monotonic() > until and len(drawn) < len(worst):
                text = "%d of the %d surest mistakes are explained: time was over; `%s` takes more"
                command = f"fivefold report {experiment.folder.argument} --explain"
                logger.warning(text, len(drawn), len(worst), command)
                break
    kept = [name for name in worst if name in drawn]
    samples = {
        name: _overlay(number, *drawn[name], head=worst[name][0])
        for number, name in enumerate(kept, start=1)
    }
    overlays = Overlays("gradcam", layer, stage, samples)
    write_overlays(experiment.folder, overlays, [drawn[name][2] for name in kept])
    return len(kept)


def _wrong_answers(predictions: Predictions) -> dict[str, tuple[str, str]]:
    """Name the surest mistakes, and for each the head and the class that is wrong."""
    names = [(head.name, name) for head in predictions.heads for name in head.class_names]
    columns = worst_answers(predictions)[1]
    rows = surest_mistakes(predictions, MOST).tolist()
    return {predictions.ids[row]: names[columns[row]] for row in rows}


def _about(explanation: Explanation, answer: tuple[str, str]) -> ClassMap | None:
    maps = (one for one in explanation.maps if (one.head, one.class_name) == answer)
    return next(maps, None)


def _overlay(number: int, answer: ClassMap, fold: int, picture: bytes, head: str) -> Overlay:
    return Overlay(
        file=f"{number:02}.jpg",
        sha256=hashlib.sha256(picture).hexdigest(),
        head=head,
        class_name=answer.class_name,
        probability=answer.probability,
        fold=fold,
    )


def _jpeg(picture: Image) -> bytes:
    """Encode a picture so that many of them fit into a page."""
    for quality in (85, 70, 50):
        file = io.BytesIO()
        Pillow.fromarray(picture).save(file, "JPEG", quality=quality)
        if file.tell() <= _MOST_BYTES:
            break
    return file.getvalue()
