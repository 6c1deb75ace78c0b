"""The data set, as Musket's page has it, with the fourth channel of the competition's files."""

import csv

import numpy as np
from musket_core.datasets import PredictionItem
from PIL import Image

PLACES = (
    "Nucleoplasm",
    "Nuclear membrane",
    "Nucleoli",
    "Endoplasmic reticulum",
    "Mitochondria",
    "Cytosol",
)


class ProteinDataGenerator:
    class_names = PLACES

    def __init__(self, paths, labels):
        self.paths, self.labels = paths, labels

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, idx):
        X, y = self.__load_image(self.paths[idx]), self.labels[idx]
        return PredictionItem(self.paths[idx], X, y)

    def __load_image(self, path):
        R = Image.open(path + "_red.png")
        G = Image.open(path + "_green.png")
        B = Image.open(path + "_blue.png")
        Y = Image.open(path + "_yellow.png")

        im = np.stack((np.array(R), np.array(G), np.array(B), np.array(Y)), -1)
        return im


def from_table(path):
    """Read `Id,Target`, the target being numbers of places: `0 4`."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.zeros((len(rows), len(PLACES)))
    for label, row in zip(labels, rows, strict=True):
        label[[int(number) for number in row["Target"].split()]] = 1
    return ProteinDataGenerator(["train/" + row["Id"] for row in rows], labels)
