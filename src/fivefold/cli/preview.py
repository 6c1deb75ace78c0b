"""The command that shows what augmentation makes of images."""

from pathlib import Path
from typing import Annotated

import typer

from fivefold.cli import arguments
from fivefold.cli.console import show_pairs
from fivefold.cli.guard import guarded
from fivefold.cli.outputs import check_free
from fivefold.core.durable import write_bytes
from fivefold.core.progress import Terminal


@guarded
def preview(
    experiment: arguments.Experiment,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The picture, a PNG.")
    ] = Path("preview.png"),
    stage: Annotated[
        int, typer.Option("--stage", metavar="N", help="Of which stage; -1 is the last.")
    ] = 0,
    overrides: arguments.Overrides = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace an existing FILE.")] = False,
    allow_imports: arguments.AllowImports = False,
) -> None:
    """Draw images beside what augmentation makes of them.

    Nothing is trained, and the experiment's own files stay as they are.
    """
    check_free(output, force=force, example="lr.png")
    from fivefold.apps.preview import draw_preview, find_stage, training_samples
    from fivefold.core.layout import RunFolder
    from fivefold.experiment.assembling import assembled
    from fivefold.experiment.loading import load_named

    folder = RunFolder.of(experiment)
    config = load_named(folder.config_path, overrides or (), allow_imports=allow_imports)
    chosen, progress = find_stage(config, stage), Terminal()
    source = assembled(config, allow_imports=allow_imports, progress=progress)
    found = training_samples(config, source, chosen, folder, progress)
    drawn = draw_preview(config, found.source, stage=stage)
    write_bytes(output, drawn.png)
    each = f"each in {drawn.views} augmented views" if drawn.views else "without augmentation"
    lines = [("stage", str(drawn.stage)), ("images", f"{drawn.samples}, {each}")]
    lines.append(("chosen", f"of {len(found.source)} that fold 0 is trained on"))
    if found.left_out:
        others = ", ".join(f"{count} that {why}" for why, count in found.left_out.items())
        lines.append(("left out", others))
    if drawn.crops > 1:
        lines.append(("cells", f"{drawn.crops} x {drawn.crops} of each, augmented one by one"))
    if drawn.mixes:
        lines.append(("not drawn", "the mixing of whole batches, which comes after this"))
    show_pairs([*lines, ("picture", str(output))])
