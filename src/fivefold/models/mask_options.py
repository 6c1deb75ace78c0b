"""Options of architectures that make masks, as they may be written; no torch.

Musket documents names of old versions of the package that it took its networks from. Each is
translated where there is the same here, and refused with the reason where there is not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from fivefold.core.catalog import At, Component
from fivefold.core.errors import Problem, closest
from fivefold.core.segmenters import own_segmenters
from fivefold.core.validation import Complaint, shown
from fivefold.models.architectures import Arguments, architectures

Writing: TypeAlias = Mapping[str, "Same | Fixed"]


@dataclass(frozen=True)
class Same:
    """Another name of an option.

    Attributes:
        name: The option.
        convert: From the value that was written to the option's; ValueError says what it must be.
    """

    name: str
    convert: Callable[[Any], Any] = lambda value: value


@dataclass(frozen=True)
class Fixed:
    """An option that has no choice here.

    Attributes:
        value: What it always is; None: nothing that Musket has.
        reason: Why.
    """

    value: Any
    reason: str

    def allows(self, value: Any) -> bool:
        """Say whether a value is what it is anyway; a list may be all that one number."""
        if self.value is None:
            return False
        if isinstance(value, list):
            return all(map(self.allows, value))
        return bool(value == self.value and isinstance(value, bool) == isinstance(self.value, bool))


def _halvings(value: Any) -> int:
    factors = {4: 2, 8: 3, 16: 4, 32: 5}
    if isinstance(value, bool) or value not in factors:
        msg = "4, 8, 16 or 32"
        raise ValueError(msg)
    return factors[value]


_NORM = Same("decoder_use_norm")
_DEPTH = Same("encoder_depth")
_FROM_LEVELS = "masks are as large as images, whatever the levels"
_ALWAYS: Writing = {
    "encoder_features": Fixed("default", "levels of the encoder are chosen by `encoder_depth`"),
}
_TWICE: Writing = {"upsample_rates": Fixed(2, "each step doubles height and width")}
_LIKE_UNET: Writing = {
    **_ALWAYS,
    **_TWICE,
    "decoder_filters": Same("decoder_channels"),
    "n_upsample_blocks": _DEPTH,
    "use_batchnorm": _NORM,
    "decoder_use_batchnorm": _NORM,
    "decoder_block_type": Fixed(
        "upsampling", "it has no transposed convolutions; Linknet has nothing else"
    ),
}
_GROUP_NORM = Fixed(None, "its normalisation is GroupNorm, which needs no batch")
_BILINEAR = Fixed("bilinear", "logits are always enlarged in that way")
_LIKE_DEEPLAB: Writing = {
    **_ALWAYS,
    "OS": Same("encoder_output_stride"),
    "dropout": Same("decoder_aspp_dropout"),
    "alpha": Fixed(1, "the width is a matter of the backbone, such as `mobilenetv2_050`"),
}
_WRITINGS: Mapping[str, Writing] = {
    "Unet": _LIKE_UNET,
    "UnetPlusPlus": _LIKE_UNET,
    "MAnet": _LIKE_UNET,
    "Linknet": {
        **_ALWAYS,
        "n_upsample_blocks": _DEPTH,
        "use_batchnorm": _NORM,
        "decoder_use_batchnorm": _NORM,
        "decoder_filters": Fixed(None, "its decoder is as wide as the encoder's levels"),
        "decoder_block_type": Fixed("transpose", "it has transposed convolutions alone"),
        "upsample_layer": Fixed("transpose", "it has transposed convolutions alone"),
        "upsample_kernel_size": Fixed(4, "its transposed convolutions are 4 by 4"),
    },
    "FPN": {
        **_ALWAYS,
        **_TWICE,
        "pyramid_block_filters": Same("decoder_pyramid_channels"),
        "segmentation_block_filters": Same("decoder_segmentation_channels"),
        "pyramid_dropout": Same("decoder_dropout"),
        "dropout": Same("decoder_dropout"),
        "use_batchnorm": _GROUP_NORM,
        "pyramid_use_batchnorm": _GROUP_NORM,
        "interpolation": _BILINEAR,
        "final_interpolation": _BILINEAR,
        "last_upsample": Fixed(4, _FROM_LEVELS),
        "upsampling": Fixed(4, _FROM_LEVELS),
    },
    "PSPNet": {
        **_ALWAYS,
        "downsample_factor": Same("encoder_depth", _halvings),
        "psp_conv_filters": Same("psp_out_channels"),
        "use_batchnorm": _NORM,
        "psp_use_batchnorm": _NORM,
        "dropout": Same("psp_dropout"),
        "psp_pooling_type": Fixed("avg", "it takes means of parts of the image"),
        "final_interpolation": _BILINEAR,
        "upsampling": Fixed(8, _FROM_LEVELS),
    },
    "DeepLabV3": {**_LIKE_DEEPLAB, "upsampling": Fixed(8, _FROM_LEVELS)},
    "DeepLabV3Plus": {**_LIKE_DEEPLAB, "upsampling": Fixed(4, _FROM_LEVELS)},
    "PAN": {**_ALWAYS, "upsampling": Fixed(4, _FROM_LEVELS)},
    "UPerNet": {**_ALWAYS, "use_batchnorm": _NORM, "upsampling": Fixed(4, _FROM_LEVELS)},
    "Segformer": {**_ALWAYS, "upsampling": Fixed(4, _FROM_LEVELS)},
    "DPT": _ALWAYS,
}


def spellings_of(architecture: str) -> list[str]:
    """List the names of options that mean something to an architecture: its own, then Musket's."""
    component = _found(architecture)
    return [*component.options.model_fields, *_WRITINGS.get(component.name, {})]


def read_options(
    architecture: str, written: Mapping[str, Any], at: At
) -> tuple[Arguments, list[Problem]]:
    """Read options in either spelling.

    Args:
        architecture: A known name.
        written: Names and values as they stand in a config.
        at: Says where the value of a name stands.

    Returns:
        All arguments of the package's class, or of a user's own network its options as they were
        written; and what is wrong: nothing can be built then.
    """
    component = _found(architecture)
    found = _Reading(component.name, tuple(component.options.model_fields), at)
    options = dict(found.translated(written))
    if found.problems:
        return {}, found.problems
    accepted, complaints = component.check(options)
    if complaints:
        return {}, [found.told(complaint) for complaint in complaints]
    if own_segmenters.find(architecture):
        return {**_plain_defaults(component), **options}, []
    try:
        return component.make(**accepted), []
    except ValueError as error:
        name, _, rest = str(error).partition(": ")
        spelled = found.spelled.get(name, name)
        message = f"{spelled}: {rest}, got {shown(options.get(name))}"
        return {}, [Problem("config/bad-value", at(spelled), message)]


def _found(architecture: str) -> Component[Any]:
    return own_segmenters.find(architecture) or architectures.get(architecture)


def _plain_defaults(component: Component[Any]) -> Arguments:
    """Give the defaults that a file can hold, so that a saved network outlives another default."""
    fields = component.options.model_fields.items()
    return {n: f.default for n, f in fields if isinstance(f.default, bool | int | float | str)}


class _Reading:
    """Goes through options, and remembers how each was spelled."""

    def __init__(self, architecture: str, known: tuple[str, ...], at: At) -> None:
        self.architecture, self.known, self.at = architecture, known, at
        self.spelled: dict[str, str] = {}
        self.problems: list[Problem] = []

    def told(self, complaint: Complaint) -> Problem:
        """Word what is wrong with an option; one that is required may not have been written."""
        name, *path = map(str, complaint.path)
        spelled = self.spelled.get(name, name)
        where, message = self.at(spelled, *path), f"{spelled}: {complaint.message}"
        return Problem(f"config/{complaint.kind}", where, message, complaint.hint)

    def translated(self, written: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        writing = _WRITINGS.get(self.architecture, {})
        for name, value in written.items():
            rule = writing.get(name)
            if isinstance(rule, Fixed):
                if not rule.allows(value):
                    self._refuse(name, rule, value)
                continue
            if rule is None and name not in self.known:
                self._unknown(name)
                continue
            option = rule.name if rule else name
            if option in self.spelled:
                message = f"{name}: expected one of two names of the same option, got both"
                hint = f"{self.spelled[option]!r} means the same"
                self.problems.append(Problem("config/decoder", self.at(name), message, hint))
                continue
            self.spelled[option] = name
            yield from self._converted(name, option, rule, value)

    def _converted(
        self, name: str, option: str, rule: Same | None, value: Any
    ) -> Iterator[tuple[str, Any]]:
        try:
            yield option, rule.convert(value) if rule else value
        except ValueError as error:
            message = f"{name}: expected {error}, got {shown(value)}"
            self.problems.append(Problem("config/bad-value", self.at(name), message))

    def _refuse(self, name: str, rule: Fixed, value: Any) -> None:
        expected = "no such option" if rule.value is None else shown(rule.value)
        message = f"{name}: expected {expected} for {self.architecture}, got {shown(value)}"
        self.problems.append(Problem("config/decoder", self.at(name), message, rule.reason))

    def _unknown(self, name: str) -> None:
        message = f"{name}: expected an option of {self.architecture}, which has no such one"
        near = closest(name, [*self.known, *_WRITINGS.get(self.architecture, {})])
        hint = f"did you mean {near!r}?" if near else f"it has {', '.join(self.known) or 'none'}"
        self.problems.append(Problem("config/decoder", self.at(name), message, hint))
