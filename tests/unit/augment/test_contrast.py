import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pixels import change_with, rough_picture

IMAGE = rough_picture()
V = IMAGE / 255.0


def assert_close(changed, expected):
    np.testing.assert_allclose(changed, np.clip(expected, 0, 255), atol=0.51)


@given(gamma=st.floats(0.1, 5))
def test_gamma_is_a_power_of_the_fraction(gamma):
    assert_close(change_with("GammaContrast", gamma)(IMAGE), 255 * V**gamma)


@given(gain=st.floats(1, 15), cutoff=st.floats(0, 1))
def test_sigmoid_is_the_logistic_function_about_the_cutoff(gain, cutoff):
    changed = change_with("SigmoidContrast", {"gain": gain, "cutoff": cutoff})(IMAGE)
    assert_close(changed, 255 / (1 + np.exp(gain * (cutoff - V))))


@given(gain=st.floats(0.1, 2))
def test_log_is_the_binary_logarithm(gain):
    assert_close(change_with("LogContrast", gain)(IMAGE), 255 * gain * np.log2(1 + V))


@given(alpha=st.floats(0, 3))
def test_linear_scales_the_distance_from_127(alpha):
    changed = change_with("LinearContrast", alpha)(IMAGE)
    assert_close(changed, 127 + alpha * (IMAGE.astype(float) - 127))


def test_the_old_name_means_the_same():
    assert change_with("ContrastNormalization", 1.5)(IMAGE).tolist() == (
        change_with("LinearContrast", 1.5)(IMAGE).tolist()
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [("GammaContrast", 1), ("LogContrast", 0), ("LinearContrast", 1), ("SigmoidContrast", {})],
)
def test_values_keep_their_order(name, options):
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 256, 1)
    assert (np.diff(change_with(name, options)(ramp).ravel().astype(int)) >= 0).all()
    if name in ("GammaContrast", "LinearContrast"):
        np.testing.assert_array_equal(change_with(name, options)(ramp), ramp)
