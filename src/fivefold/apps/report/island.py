"""What the page's scripts know: which samples lie behind a count, with their pictures."""

from collections.abc import Mapping
from typing import Any

from fivefold.apps.report import texts
from fivefold.apps.report.cells import Cell, is_mistake
from fivefold.apps.report.section import Material
from fivefold.core.predictions import Predictions


def island(material: Material) -> dict[str, Any]:
    """Put together the page's data.

    Returns:
        `samples`: id, fold (-1 if not known) and picture (or nothing) of every sample that a cell
        lists. `heads`: of each the class names, how many samples each class has, its cells and
        the keys of those that are mistakes, the commonest first.
    """
    places: dict[int, int] = {}
    pairs = zip(material.heads, material.cells, strict=True)
    heads = [_head(part, cells, places) for part, cells in pairs]
    samples = [_sample(material, row) for row in places]
    return {"samples": samples, "heads": heads}


def _head(part: Predictions, cells: Mapping[str, Cell], places: dict[int, int]) -> dict[str, Any]:
    """Describe a head; rows that it lists are added to `places`."""
    listed = {
        key: [
            cell.count,
            [
                [places.setdefault(row, len(places)), round(sure, 4)]
                for row, sure in zip(cell.rows, cell.sure, strict=True)
            ],
        ]
        for key, cell in cells.items()
    }
    mistakes = [key for key in cells if is_mistake(key)]
    return {
        "classes": [texts.name(name) for name in part.class_names],
        "totals": (part.truth > 0.5).sum(axis=0).tolist(),
        "cells": listed,
        "mistakes": sorted(mistakes, key=lambda key: -cells[key].count),
    }


def _sample(material: Material, row: int) -> list[Any]:
    sample = material.heads[0]
    fold = material.found.folds_of_samples[row] if material.found.folds_of_samples else -1
    return [texts.name(sample.ids[row]), fold, material.album.url(sample.ids[row])]
