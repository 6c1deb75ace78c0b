"""Labels of an experiment's samples that may be wrong, as a table that can be fed back."""

import codecs
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from fivefold.config import ExperimentConfig
from fivefold.core import durable
from fivefold.core.arguments import as_path
from fivefold.core.class_text import classes_as_text
from fivefold.core.errors import FivefoldError
from fivefold.core.layout import RunFolder
from fivefold.core.progress import Progress
from fivefold.core.types import Head
from fivefold.data import Source
from fivefold.data.correction_rows import CorrectionRow, read_corrections, refuse
from fivefold.data.text_order import TextIndex
from fivefold.evaluation import csv_bytes
from fivefold.evaluation.label_errors import (
    LabelErrors,
    Ranking,
    Suspect,
    default_ranking,
    find_label_errors,
)
from fivefold.experiment.finished import recorded_config
from fivefold.experiment.labels_only import refuse_masks
from fivefold.experiment.prediction_tables import paths_of_samples
from fivefold.experiment.sources import corrections_path, open_section
from fivefold.experiment.trained import stage_index, trained_folds
from fivefold.experiment.unseen import all_unseen

logger = logging.getLogger(__name__)

_OF_MASKS = "the report shows the images whose masks are worst; predictions/oof.csv lists all"


@dataclass(frozen=True)
class Earlier:
    """What a table of corrections, which the models were trained with, says of a sample.

    Attributes:
        given: The label that the user's data have.
        corrected: The one that it was given; may be empty.
        keep: Whether the sample was kept.
    """

    given: str
    corrected: str
    keep: bool


@dataclass(frozen=True, eq=False)
class SuspectTable:
    """Labels that may be wrong.

    Attributes:
        found: The suspects, the worst first, and what is to be expected.
        heads: The heads that they are of.
        paths: Sample id to where its image lies, as seen from the experiment's folder.
        earlier: Sample id and head to what was corrected before.
        accept: From which confidence on suggestions stand under `corrected`, 0-1; None for none.
    """

    found: LabelErrors
    heads: tuple[Head, ...]
    paths: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[tuple[str, str], Earlier] = field(default_factory=dict)
    accept: float | None = None

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """The suspects, the worst first."""
        return self.found.suspects

    def top(self, count: int) -> "SuspectTable":
        """Keep only the worst."""
        return replace(self, found=replace(self.found, suspects=self.suspects[:count]))

    def accepting(self, confidence: float) -> "SuspectTable":
        """Fill `corrected` with what is suggested, where models are at least so sure, 0-1.

        What a person has corrected or left out before stays.
        """
        return replace(self, accept=confidence)

    @property
    def accepted(self) -> tuple[Suspect, ...]:
        """Those whose suggestions are accepted."""
        if self.accept is None:
            return ()
        # as exactly as the table has it
        sure = [one for one in self.suspects if round(one.confidence, 6) >= self.accept]
        return tuple(one for one in sure if not self._is_decided(one))

    def _is_decided(self, suspect: Suspect) -> bool:
        before = self.earlier.get((suspect.sample_id, suspect.head))
        return before is not None and (bool(before.corrected) or not before.keep)

    def text_of(self, suspect: Suspect, names: tuple[str, ...]) -> str:
        """Write a suspect's classes as one text."""
        head = next(head for head in self.heads if head.name == suspect.head)
        return classes_as_text(names, head.class_names)

    def rows(self) -> list[list[str]]:
        """Write the table as text cells, a header first.

        `given` is the label in the user's data. `corrected` and `keep` are for people to fill in;
        corrections that the models were trained with stand there already, those of samples that are
        no suspects at the end, so that the table can take the place of the one before.
        """
        several = len(self.heads) > 1
        header = ["id", "output", "path", "given", "suggested", "confidence", "score", "fold"]
        rows = [[*header, "corrected", "keep"]]
        accepted = {(suspect.sample_id, suspect.head) for suspect in self.accepted}
        for suspect in self.suspects:
            rows.append(self._row(suspect))
            if (suspect.sample_id, suspect.head) in accepted:
                rows[-1][-2] = self.text_of(suspect, suspect.suggested)
        listed = {(suspect.sample_id, suspect.head) for suspect in self.suspects}
        for (sample_id, output), one in self.earlier.items():
            if (sample_id, output) not in listed:
                path = self.paths.get(sample_id, "")
                cells = [sample_id, output, path, one.given, "", "", "", ""]
                rows.append([*cells, one.corrected, _kept(one)])
        return rows if several else [[row[0], *row[2:]] for row in rows]

    def _row(self, suspect: Suspect) -> list[str]:
        before = self.earlier.get((suspect.sample_id, suspect.head))
        given = before.given if before else self.text_of(suspect, suspect.given)
        return [
            suspect.sample_id,
            suspect.head,
            self.paths.get(suspect.sample_id, ""),
            given,
            self.text_of(suspect, suspect.suggested),
            f"{suspect.confidence:.6f}",
            f"{suspect.score:.6f}",
            str(suspect.fold),
            before.corrected if before else "",
            _kept(before) if before else "",
        ]

    def as_csv(self) -> bytes:
        """Write the table as CSV, in a way that spreadsheets read other letters than ASCII's."""
        data = csv_bytes(self.rows())
        return data if data.isascii() else codecs.BOM_UTF8 + data

    def save(self, path: Path | str) -> None:
        """Write it into a file."""
        durable.write_bytes(as_path("path", path), self.as_csv())

    def record(self) -> dict[str, Any]:
        """Give everything as JSON values; what cannot be said is null."""
        return {
            "ranking": self.found.ranking,
            "heads": [
                {
                    "name": head.name,
                    "samples": head.samples,
                    "suspects": head.suspects,
                    "wrong": None if head.wrong is None else asdict(head.wrong),
                    "of": "answers" if head.binary else "labels",
                    "agreement": head.agreement,
                    "doubt": head.doubt,
                    "undefined": head.undefined,
                    "skipped": list(head.skipped),
                }
                for head in self.found.heads
            ],
            "suspects": [
                {
                    "id": suspect.sample_id,
                    "output": suspect.head,
                    "path": self.paths.get(suspect.sample_id, ""),
                    "given": list(suspect.given),
                    "suggested": list(suspect.suggested),
                    "confidence": suspect.confidence,
                    "score": suspect.score,
                    "fold": suspect.fold,
                }
                for suspect in self.suspects
            ],
        }


def find_suspects(
    folder: RunFolder,
    config: ExperimentConfig,
    stage: int = -1,
    *,
    ranking: Ranking | None = None,
    allow_imports: bool = False,
    progress: Progress,
) -> SuspectTable:
    """Find labels that models contradict which have not seen them: of other folds, of all folds.

    The latter are asked together about the holdout.

    Args:
        folder: The experiment.
        config: Its config as it is now.
        stage: Whose predictions; -1 is the last.
        ranking: Who decides; None asks cleanlab where it is installed. Both say the same.
        allow_imports: Whether the config may name Python code to run; asked for only where labels
            were corrected before.
        progress: Who watches.

    Raises:
        StateError: If no fold has finished this stage, or a file is damaged.
    """
    refuse_masks(config, "suspects", _OF_MASKS)
    index, folds = stage_index(folder, config, stage), trained_folds(folder, config, None, stage)
    predictions, fold_of = all_unseen(folder, folds, index)
    found = find_label_errors(predictions, fold_of=fold_of, ranking=ranking or default_ranking())
    recorded = recorded_config(folder, config)
    return SuspectTable(
        found,
        predictions.heads,
        paths_of_samples(folder),
        _earlier(recorded, allow_imports=allow_imports, progress=progress),
    )


def _kept(one: Earlier) -> str:
    return "" if one.keep else "no"


def _earlier(
    config: ExperimentConfig, *, allow_imports: bool, progress: Progress
) -> dict[tuple[str, str], Earlier]:
    """Read the corrections that the models were trained with, beside the labels of the data."""
    section = config.dataset
    if section is None or section.corrections is None:
        return {}
    raw = section.model_copy(update={"corrections": None})
    try:
        rows, problems = read_corrections(corrections_path(config, section))
        refuse(problems)
        source = open_section(
            config, "dataset", raw, allow_imports=allow_imports, progress=progress
        )
    except FivefoldError as error:
        text = "earlier corrections cannot be read, this table is without them: %s"
        logger.warning(text, error)
        return {}
    index = TextIndex(source.sample_ids)
    return {
        (row.sample_id, row.output): Earlier(_given(source, index, row), row.corrected, row.keep)
        for row in rows
    }


def _given(source: Source, index: TextIndex, row: CorrectionRow) -> str:
    """Write the label that a sample has in the user's data; nothing where there is none."""
    i, start = index.find(row.sample_id), 0
    target = None if i is None else source.target(i)
    if target is None:
        return ""
    for labels in source.labels:
        names, own = labels.class_names, target[start : start + len(labels.class_names)]
        start += len(names)
        if labels.name == row.output:
            return classes_as_text([names[k] for k in np.flatnonzero(own).tolist()], names)
    return ""
