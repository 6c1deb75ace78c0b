"""Every augmenter that Musket's pages or imgaug 0.3 name is here, or refused with the reason."""

import pytest

from fivefold.augment import augmenters
from fivefold.augment.refused import refusal

DECLARED = """
    Fliplr Flipud Invert Rotate90 Affine Add AddElementwise Multiply MultiplyElementwise
    AdditiveGaussianNoise Dropout Grayscale GaussianBlur AverageBlur MedianBlur Sharpen Emboss
    EdgeDetect DirectedEdgeDetect PiecewiseAffine ElasticTransformation Pad CropAndPad
    PadToFixedSize CropToFixedSize Sequential OneOf BackgroundReplacer
"""
OF_IMGAUG = """
    AdditiveLaplaceNoise AdditivePoissonNoise CoarseDropout ReplaceElementwise SaltAndPepper
    ImpulseNoise CoarseSaltAndPepper CoarseSalt CoarsePepper Salt Pepper JpegCompression Alpha
    AlphaElementwise SimplexNoiseAlpha FrequencyNoiseAlpha BilateralBlur MotionBlur
    WithColorspace WithHueAndSaturation MultiplyHueAndSaturation MultiplyHue MultiplySaturation
    AddToHueAndSaturation AddToHue AddToSaturation ChangeColorspace KMeansColorQuantization
    UniformColorQuantization GammaContrast SigmoidContrast LogContrast LinearContrast CLAHE
    AllChannelsCLAHE HistogramEqualization AllChannelsHistogramEqualization Convolve Canny
    AffineCv2 PerspectiveTransform Rot90 SomeOf Sometimes WithChannels Noop Lambda AssertLambda
    AssertShape ChannelShuffle AveragePooling MaxPooling MinPooling MedianPooling Superpixels
    Voronoi UniformVoronoi RegularGridVoronoi RelativeRegularGridVoronoi Resize Crop
    KeepSizeByResize FastSnowyLandscape CloudLayer Clouds Fog SnowflakesLayer Snowflakes
    ContrastNormalization InColorspace HorizontalFlip VerticalFlip Scale
"""
BEYOND = "TrivialAugment RandAugment RandomResizedCrop RandomErasing Jigsaw WithPolarWarping"


@pytest.mark.parametrize("name", (DECLARED + OF_IMGAUG + BEYOND).split())
@pytest.mark.parametrize("spelling", [str, str.lower, str.upper])
def test_every_name_means_something(name, spelling):
    assert (augmenters.find(spelling(name)) is not None) != bool(refusal(spelling(name)))


def test_only_what_is_made_of_code_or_of_no_use_is_refused():
    names = (DECLARED + OF_IMGAUG).split()
    assert {"Lambda", "AssertLambda", "AssertShape"} <= {n for n in names if refusal(n)}
    assert not any(refusal(name) for name in (DECLARED + BEYOND).split())
