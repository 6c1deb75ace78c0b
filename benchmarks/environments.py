"""Throw-away environments for the peers, so that none becomes a dependency.

Made with uv, whose cache makes torch a link instead of a copy; torch, torchvision and timm are the
versions of `constraints.txt`, as in the project's own environment.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.arms import ROOT

OWN = "project"
"""The project's environment, for peers that need nothing beside torch, torchvision and timm."""

_SHARED = ("torch", "torchvision", "timm", "safetensors")
_PEERS = {
    "fastai": ("fastai==2.8.*",),
    "lightning": ("lightning==2.6.6",),
    "ultralytics": ("ultralytics==8.4.*",),
}
_TOLD = ("torch", "torchvision", "timm", "fastai", "lightning", "ultralytics")
_TELL = (
    "from importlib.metadata import distributions as d;"
    "print(*sorted({f'{x.name} {x.version}' for x in d() if x.name in NAMES}), sep=', ')"
)


class Environments:
    """Makes an environment when it is first asked for.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions: dict[str, str] = {}
        self._failures: dict[str, str] = {}

    def python(self, name: str) -> Path:
        """Name an environment's interpreter.

        Args:
            name: A key of the peers, or `OWN`.

        Raises:
            RuntimeError: If it cannot be made, with uv's words; the same again when asked again.
        """
        if name == OWN:
            return Path(sys.executable)
        if name in self._failures:
            raise RuntimeError(self._failures[name])
        root = self.folder / name
        if name not in self.versions:
            try:
                _make(root, _PEERS[name])
            except (OSError, subprocess.CalledProcessError) as error:
                words = getattr(error, "stderr", "") or str(error)
                self._failures[name] = f"{name}: no environment: {words.strip()[-300:]}"
                raise RuntimeError(self._failures[name]) from error
            self.versions[name] = _versions(root / "bin" / "python")
        return root / "bin" / "python"


@contextmanager
def open_environments(keep: Path | None) -> Iterator[Environments]:
    """Open a home for environments; it is deleted at the end unless a folder to keep is given."""
    folder = keep or Path(tempfile.mkdtemp(prefix="fivefold-peers-"))
    try:
        yield Environments(folder)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _make(root: Path, packages: tuple[str, ...]) -> None:
    if (root / "whole").exists():
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    _run(["uv", "venv", "--clear", "--python", version, str(root)])
    pins = ["-c", str(ROOT / "constraints.txt")]
    interpreter = str(root / "bin" / "python")
    _run(["uv", "pip", "install", "--python", interpreter, *pins, *packages, *_SHARED])
    (root / "whole").touch()


def _run(command: list[str]) -> None:
    subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=True)


def _versions(python: Path) -> str:
    code = _TELL.replace("NAMES", repr(_TOLD))
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()
