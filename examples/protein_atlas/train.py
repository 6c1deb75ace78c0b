"""Train, then ask each fold about the cells that it has not seen."""

import fivefold.musket  # lets the next lines work where Musket is not installed
import musket_core
from classification_pipeline import classification
from protein import PLACES, from_table

dataset = from_table("train.csv")
cfg = classification.parse("config.yaml", allow_imports=True)
cfg.fit(dataset)

for fold in range(3):
    predictions, truth = cfg.evaluate_all_to_arrays(dataset, fold)
    right = ((predictions > 0.5) == (truth > 0.5)).mean(axis=0)
    answers = ", ".join(f"{name} {part:.0%}" for name, part in zip(PLACES, right, strict=True))
    print(f"fold {fold}: right answers: {answers}")

threshold = cfg.find_optimal_treshold_by_validation("macro_f1")
print(f"the best threshold for macro_f1 is {threshold:.2f}")
