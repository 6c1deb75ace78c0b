"""What a model finds in some rows of a table, as they are."""

from fivefold.config import ResolvedStage
from fivefold.core.found import Found
from fivefold.data.images import ResizedImages
from fivefold.engine.answers import Rows
from fivefold.engine.fold_data import plain_batches
from fivefold.engine.mask_answers import predict_scores
from fivefold.engine.predictor import Advance, Place, as_predictions, predict_views
from fivefold.engine.tta import identity
from fivefold.models import Classifier


def find(
    model: Classifier,
    images: ResizedImages,
    rows: Rows,
    stage: ResolvedStage,
    place: Place,
    *,
    threads: int,
    advance: Advance,
) -> Found:
    """Predict rows of a table, in their order: the classes of images, or scores of their masks.

    Args:
        model: On its device.
        images: Of the table.
        rows: Of the table.
        stage: Its batches and transforms.
        place: Which model it is.
        threads: How many prepare images.
        advance: Told the number of samples after each batch.
    """
    batches = plain_batches(images, rows, stage, threads)
    if stage.makes_masks:
        return predict_scores(model, batches, images.table, rows, place, advance)
    probs = predict_views(model, batches, [identity], advance)
    return as_predictions(model.heads, images.table, rows, probs, place)
