"""Activations between the layers of a head: names as Keras has them, and torch's classes."""

from collections.abc import Mapping

ACTIVATIONS: Mapping[str, str] = {
    "elu": "ELU",
    "gelu": "GELU",
    "hard_sigmoid": "Hardsigmoid",
    "hard_swish": "Hardswish",
    "leaky_relu": "LeakyReLU",
    "linear": "Identity",
    "mish": "Mish",
    "none": "Identity",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "selu": "SELU",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "softplus": "Softplus",
    "softsign": "Softsign",
    "swish": "SiLU",
    "tanh": "Tanh",
}
"""From names in lower case to classes of `torch.nn`, with their defaults."""
