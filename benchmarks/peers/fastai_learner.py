"""Peer: fastai's Learner with a DataBlock; `fit` in both stages, as the workload says."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from fastai.callback.core import Callback
from fastai.callback.tracker import SaveModelCallback
from fastai.data.block import CategoryBlock, DataBlock
from fastai.data.transforms import GrandparentSplitter, Normalize, get_image_files, parent_label
from fastai.learner import Learner
from fastai.metrics import accuracy
from fastai.optimizer import OptimWrapper
from fastai.vision.augment import FlipItem, RandomResizedCrop, Resize, ResizeMethod
from fastai.vision.data import ImageBlock
from torch import nn

from benchmarks.peers.harness import (
    CROP,
    DECAY,
    MEAN,
    MOMENTUM,
    STD,
    Events,
    Task,
    begin,
    build_model,
    device,
    hand_in,
    set_frozen,
)


class Told(Callback):  # type: ignore[misc]  # fastai has no types
    """Tells of the first step and of each epoch, and holds BatchNorm while frozen."""

    order = 70

    def __init__(self, events: Events) -> None:
        self.events, self.frozen = events, False

    def before_train(self) -> None:
        """Hold the whole net in evaluation while only the head learns."""
        self.learn.model.train(not self.frozen)

    def after_batch(self) -> None:
        """Tell of the first step."""
        self.events.once("first step")

    def after_epoch(self) -> None:
        """Tell of an epoch."""
        value = float(self.learn.recorder.values[-1][-1]) if self.learn.recorder.values else 0.0
        self.events.tell("epoch", frozen=self.frozen, accuracy=value)


class Half(Callback):  # type: ignore[misc]  # fastai has no types
    """bfloat16; fastai's own MixedPrecision knows only CUDA."""

    order = 10

    def before_batch(self) -> None:
        """Enter."""
        self.autocast = torch.autocast(device(), torch.bfloat16)
        self.autocast.__enter__()  # type: ignore[no-untyped-call]  # torch's types lack it

    def after_pred(self) -> None:
        """Compute the loss in float32."""
        self.learn.pred = self.learn.pred.float()

    def after_loss(self) -> None:
        """Leave before the backward pass."""
        self.autocast.__exit__(None, None, None)


class ChannelsLast(Callback):  # type: ignore[misc]  # fastai has no types
    """Channels-last for net and images; fastai's own callback of this name does the same."""

    def before_fit(self) -> None:
        """Lay out the net."""
        self.learn.model.to(memory_format=torch.channels_last)

    def before_batch(self) -> None:
        """Lay out the images."""
        self.learn.xb = tuple(x.contiguous(memory_format=torch.channels_last) for x in self.xb)


def main() -> None:
    """Train one fold."""
    task, events = begin()
    dls = _loaders(task)
    model, told = build_model(task, len(dls.vocab)), Told(events)
    callbacks: list[Any] = [told]
    callbacks += [ChannelsLast()] if task.tuned else []
    callbacks += [Half()] if task.half else []
    sgd = partial(OptimWrapper, opt=torch.optim.SGD, momentum=MOMENTUM, weight_decay=DECAY)
    learn = Learner(
        dls,
        model,
        loss_func=nn.CrossEntropyLoss(),
        opt_func=sgd,
        metrics=accuracy,
        cbs=callbacks,
        path=task.out,
        wd=0.0,
        train_bn=False,
    )
    with learn.no_bar(), learn.no_logging():
        for frozen, epochs, rate in task.stages:
            told.frozen = frozen
            set_frozen(model, frozen=frozen)
            learn.opt = None
            learn.fit(epochs, rate, cbs=SaveModelCallback(monitor="accuracy", fname="best"))
            learn.save("last")
        with learn.removed_cbs(told):
            probabilities, truth = learn.get_preds()
    root = task.data / "val"
    names = [Path(path).relative_to(root).as_posix() for path in dls.valid.dataset.items]
    hand_in(task, names, probabilities.argmax(1).tolist(), truth.tolist())
    events.tell("exit")


def _loaders(task: Task) -> Any:
    squash = Resize(task.size, method=ResizeMethod.Squish)
    crop = [RandomResizedCrop(task.size, min_scale=CROP[0], ratio=(4 / 3, 4 / 3)), FlipItem(0.5)]
    block = DataBlock(
        (ImageBlock, CategoryBlock),
        get_items=get_image_files,
        get_y=parent_label,
        splitter=GrandparentSplitter("train", "val"),
        item_tfms=crop if task.augmented else squash,
        batch_tfms=Normalize.from_stats(MEAN, STD),
    )
    options: dict[str, Any] = {"persistent_workers": task.tuned} if task.workers else {}
    return block.dataloaders(
        task.data, bs=task.batch, num_workers=task.workers, device=torch.device(device()), **options
    )


if __name__ == "__main__":
    main()
