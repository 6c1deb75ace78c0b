"""Peer: Lightning's Trainer; one `fit` for each stage, since a stage has its own optimizer."""

from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import Tensor, nn

from benchmarks.peers.harness import (
    DECAY,
    MOMENTUM,
    Events,
    Task,
    begin,
    build_model,
    device,
    hand_in,
    set_frozen,
)
from benchmarks.peers.pictures import loaders


class Module(lightning.LightningModule):  # type: ignore[misc]  # not installed where this is checked
    """A net of timm, SGD, cross-entropy."""

    def __init__(self, task: Task, model: nn.Module) -> None:
        super().__init__()
        self.task, self.net = task, model
        self.frozen, self.rate = False, 0.0

    def forward(self, images: Tensor) -> Tensor:
        """Turn normalised images into logits."""
        if self.task.tuned:
            images = images.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.net(images)
        return logits

    def on_train_epoch_start(self) -> None:
        """Hold the whole net in evaluation while only the head learns."""
        self.net.train(not self.frozen)

    def training_step(self, batch: Any, _: int) -> Tensor:
        """One step."""
        loss = nn.functional.cross_entropy(self(batch[0]), batch[1])
        if not self.task.tuned:
            self.log("loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: Any, _: int) -> None:
        """Count what is right."""
        hits = (self(batch[0]).argmax(1) == batch[1]).float()
        self.log("accuracy", hits.mean(), batch_size=len(hits))

    def predict_step(self, batch: Any, _: int) -> tuple[Tensor, Tensor]:
        """Predicted and true class numbers."""
        return self(batch[0]).argmax(1), batch[1]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """SGD over what is not frozen."""
        chosen = [p for p in self.net.parameters() if p.requires_grad]
        return torch.optim.SGD(chosen, self.rate, momentum=MOMENTUM, weight_decay=DECAY)


class Told(Callback):  # type: ignore[misc]  # not installed where this is checked
    """Tells of the first step and of each epoch."""

    def __init__(self, events: Events) -> None:
        self.events = events

    def on_train_batch_end(self, *_: Any) -> None:
        """Tell of the first step."""
        self.events.once("first step")

    def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
        """Tell of an epoch."""
        value = float(trainer.callback_metrics.get("accuracy", 0.0))
        self.events.tell("epoch", frozen=module.frozen, accuracy=value)


def main() -> None:
    """Train one fold."""
    task, events = begin()
    training, validation = loaders(task)
    dataset: Any = validation.dataset
    model = build_model(task, len(dataset.classes))
    module = Module(task, model.to(memory_format=torch.channels_last) if task.tuned else model)
    for frozen, epochs, rate in task.stages:
        set_frozen(model, frozen=frozen)
        module.frozen, module.rate = frozen, rate
        saved = ModelCheckpoint(task.out, monitor="accuracy", mode="max", save_last=True)
        trainer = _trainer(task, events, saved, epochs)
        trainer.fit(module, training, validation)
        best = torch.load(saved.best_model_path, weights_only=True)
        module.load_state_dict(best["state_dict"])
    found = trainer.predict(module, validation)
    predicted, true = (torch.cat(parts).tolist() for parts in zip(*found, strict=True))
    names = [Path(path).relative_to(task.data / "val").as_posix() for path, _ in dataset.samples]
    hand_in(task, names, predicted, true)
    events.tell("exit")


def _trainer(task: Task, events: Events, saved: ModelCheckpoint, epochs: int) -> Any:
    options: dict[str, Any] = {"default_root_dir": task.out}
    if task.tuned:
        options |= {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        options |= {"num_sanity_val_steps": 0, "log_every_n_steps": 1_000_000}
    return lightning.Trainer(
        accelerator=device(),
        devices=1,
        max_epochs=epochs,
        precision="bf16-mixed" if task.half else "32-true",
        callbacks=[saved, Told(events)],
        **options,
    )


if __name__ == "__main__":
    main()
