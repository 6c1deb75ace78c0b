"""Collects what a machine without a network lacks: `python -m benchmarks.gpu.carry FOLDER`.

The machine has torch 2.11 with CUDA, torchvision 0.26, NumPy, Pillow, OpenCV, scikit-learn and
accelerate of its own; fivefold's smaller needs and timm travel in a folder that is put in front of
`PYTHONPATH` there.
"""

import argparse
import shutil
import subprocess
from pathlib import Path

from benchmarks.arms import ROOT

CARRIED = (
    "filelock",
    "markupsafe",
    "jinja2",
    "platformdirs",
    "pydantic",
    "pydantic-core",
    "annotated-types",
    "typing-inspection",
    "typing-extensions",
    "ruamel-yaml",
    "safetensors",
    "timm",
    "tqdm",
    "typer",
    "rich",
    "shellingham",
    "annotated-doc",
    "markdown-it-py",
    "mdurl",
    "pygments",
)
"""Small packages of `constraints.txt`; none brings torch or CUDA with it."""


def main() -> None:
    """Fill a folder with packages and fivefold's own source."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default="3.12", help="version of the other machine")
    options = parser.parse_args()
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    )
    wanted = [f"{name}=={pins[name]}" for name in CARRIED if name in pins]
    command = ["uv", "pip", "install", "--no-deps", "--target", str(options.folder)]
    command += ["--python-version", options.python, "--python-platform", "x86_64-manylinux_2_28"]
    subprocess.run([*command, "--only-binary", ":all:", *wanted], check=True)
    shutil.copytree(
        ROOT / "src" / "fivefold",
        options.folder / "fivefold",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    _describe_fivefold(options.folder)


def _describe_fivefold(folder: Path) -> None:
    """Write what an installed package says of itself; runs record their version."""
    about = folder / "fivefold-0.1.0.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: fivefold\nVersion: 0.1.0\n")


if __name__ == "__main__":
    main()
