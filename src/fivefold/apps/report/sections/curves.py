"""Curves: loss and the metric that decides, of all folds, the stages one after the other."""

from collections.abc import Iterator

from markupsafe import Markup

from fivefold.apps.report.charts import Axis, Line, line_chart, span_of
from fivefold.apps.report.curves import columns_to_show, lines
from fivefold.apps.report.gathered import Histories
from fivefold.apps.report.section import Material, Section
from fivefold.apps.report.texts import metric_name


def sections(material: Material) -> Iterator[Section]:
    """Draw a chart for each metric; nothing before the first epoch."""
    histories = material.found.histories
    columns = columns_to_show(histories, material.found.primary_metric)
    charts = [(name, _chart(histories, name, column)) for name, column in columns.items()]
    folds = sorted({fold for (fold, _), rows in histories.items() if rows})
    if charts and folds:
        yield Section("curves", "Curves", "curves.html", {"charts": charts, "folds": folds})


def _chart(histories: Histories, name: str, column: str) -> Markup:
    found, starts = lines(histories, column)
    drawn = [
        Line(f"fold {fold}", f"f{fold % 8} fold{fold}", list(zip(*points, strict=True)))
        for fold, points in found.items()
    ]
    if name != column:  # the same metric on the training samples
        training = [
            Line(
                f"fold {fold}",
                f"thin f{fold % 8} fold{fold}",
                list(zip(*points, strict=True)),
                part="training",
                dotted=False,
            )
            for fold, points in lines(histories, name)[0].items()
        ]
        drawn = [*(line for line in training if line.points), *drawn]
    ends = [x for line in drawn for x, _ in line.points]
    x = Axis("epoch", 0.5, max(ends, default=1) + 0.5, whole=True)
    y = Axis("", *span_of([y for line in drawn for _, y in line.points]))
    marks = [(start + 0.5, f"stage {stage}") for stage, start in enumerate(starts)]
    return line_chart(drawn, x, y, f"{metric_name(name)}: one line for each fold", marks)
