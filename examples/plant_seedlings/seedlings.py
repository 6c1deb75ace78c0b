"""The data set, as Musket's page has it: any class with `__len__` and `__getitem__`."""

import os

import cv2
import numpy as np
from musket_core.datasets import PredictionItem


class Classification:
    def __init__(self, imgPath):
        self.species = [
            "Black-grass",
            "Charlock",
            "Cleavers",
            "Common Chickweed",
            "Common wheat",
            "Fat Hen",
            "Loose Silky-bent",
            "Maize",
            "Scentless Mayweed",
            "Shepherds Purse",
            "Small-flowered Cranesbill",
            "Sugar beet",
        ]
        self.data = []
        self.targets = []
        self.ids = []
        for s_id, s in enumerate(self.species):
            s_folder = os.path.join(imgPath, s)
            for file in sorted(os.listdir(s_folder)):  # the system lists files in any order
                self.data.append(os.path.join(s_folder, file))
                self.targets.append(s_id)
                self.ids.append(file)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, item):
        item_file = self.data[item]
        target = self.targets[item]
        t = np.zeros(len(self.species))
        t[target] = 1.0
        image = read_image(item_file, (64, 64))
        return PredictionItem(self.ids[item], image, t)

    def get_label(self, number):
        return self.species[number]


class Unlabelled:
    """Images of which nobody knows the species."""

    def __init__(self, imgPath):
        self.folder = imgPath
        self.ids = sorted(os.listdir(imgPath))

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, item):
        return PredictionItem(
            self.ids[item], read_image(os.path.join(self.folder, self.ids[item]), (64, 64))
        )

    def get_id(self, item):
        return self.ids[item]


def read_image(filepath, target_size=None):
    img = cv2.imread(filepath, cv2.IMREAD_COLOR)
    img = cv2.cvtColor(img, cv2.COLOR_BGR2RGB)
    return cv2.resize(img, target_size, interpolation=cv2.INTER_AREA)
