"""How much memory a large image takes when it is predicted in tiles."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

FIXTURES = Path(__file__).parents[1] / "fixtures"
PROGRAM = """
import resource, sys
from pathlib import Path
from mask_nets import ensemble_of
from fivefold.apps.mask_files import Wanted, write_masks
from fivefold.core.progress import Silent
from fivefold.experiment.datasets import open_inputs
from fivefold.experiment.mask_rules import USUAL_RULE
from fivefold.experiment.predicted_masks import PredictedMasks

folder, out = map(Path, sys.argv[1:])
masks = PredictedMasks(ensemble_of(size=(512, 512), tiles=0.25, covered=COVERED),
                       open_inputs(folder), USUAL_RULE, Silent())
assert write_masks(masks, out, Wanted(overlays=True)).images == 1
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts kilobytes as Linux does")
@pytest.mark.parametrize("covered", [None, (3000, 4000), (10_000, 10_000)])
def test_a_hundred_megapixels_take_less_than_two_gigabytes(tmp_path, covered):
    """The whole of it: decoding a photo that lies on its side, tiles, files, an overlay."""
    (tmp_path / "in").mkdir()
    small = Image.effect_noise((100, 100), 90).convert("RGB")
    turned = Image.Exif()
    turned[0x0112] = 6
    photo = small.resize((10_000, 10_000), Image.Resampling.BILINEAR)
    photo.save(tmp_path / "in" / "scan.jpg", quality=85, exif=turned)
    environment = {**os.environ, "PYTHONPATH": str(FIXTURES)}
    command = [
        sys.executable,
        "-c",
        PROGRAM.replace("COVERED", repr(covered)),
        str(tmp_path / "in"),
        str(tmp_path / "out"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert int(done.stdout) * 1024 < 2e9
    mask = (tmp_path / "out" / "masks" / "scan.png").stat()
    assert mask.st_size > 1000
