"""The mistakes that the model is surest of, and where it looked."""

from collections.abc import Iterator
from functools import partial

from fivefold.apps.report.album import SEEN
from fivefold.apps.report.embedded import jpeg_url
from fivefold.apps.report.gathered import Gathered
from fivefold.apps.report.matrices import worst_mistakes
from fivefold.apps.report.section import Material, Section
from fivefold.core.layout import RunFolder
from fivefold.experiment.explanations import Overlay, Overlays, read_picture

_SHOWN = 16
_METHODS = {"gradcam": "Grad-CAM", "layercam": "LayerCAM", "rollout": "attention roll-out"}


def sections(material: Material) -> Iterator[Section]:
    """Show the most confident mistakes as pictures."""
    if not material.heads or material.found.predictions is None:
        return
    mistakes = worst_mistakes(material.found.predictions, _SHOWN)
    material.album.wish(SEEN, [[mistake.sample_id] for mistake in mistakes])
    values = {"mistakes": mistakes, "method": "", "looked": {}}
    if material.found.overlays is not None:
        wanted = {mistake.sample_id for mistake in mistakes}
        values["looked"] = _looked(material.found, material.found.overlays, wanted)
        values["method"] = _METHODS.get(material.found.overlays.method, "")
    if mistakes:
        yield Section("mistakes", "Most confident mistakes", "mistakes.html", values, "Mistakes")


def _looked(found: Gathered, overlays: Overlays, ids: set[str]) -> dict[str, tuple[Overlay, str]]:
    """Encode the overlays of some samples anew: sample id to what it shows and its URL."""
    own = {name: each for name, each in overlays.samples.items() if name in ids}
    read = {
        name: (each, found.attempt(f"the overlay {each.file}", partial(_url, found, each), ""))
        for name, each in own.items()
    }
    return {name: (each, url) for name, (each, url) in read.items() if url}


def _url(found: Gathered, overlay: Overlay) -> str:
    return jpeg_url(read_picture(RunFolder.of(found.root), overlay))
