"""The keys of a config: types, ranges and defaults.

YAML keys keep Musket's spelling as the field's alias; Python sees snake case.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from fivefold.config.balance import BalanceKey, ClassWeights, Penalty, PosWeight, Weight
from fivefold.config.decision_keys import Calibration, Coverage, SmallestArea, Thresholds
from fivefold.config.fields import (
    ChainField,
    Choice,
    ChoiceField,
    Many,
    Name,
    NamesField,
    NullMeans,
    StepsField,
    one_of,
)
from fivefold.config.mask_keys import Decoder, Encoder
from fivefold.config.ranges import (
    Batches,
    BatchSize,
    CacheSize,
    Channels,
    ClassCount,
    DatasetAugmenter,
    Detail,
    EpochsOrOff,
    ExampleEpochs,
    FoldLists,
    Fraction,
    GradientBound,
    HeadLayers,
    KeepMaps,
    LayerDecay,
    LayersToTrain,
    LearningRate,
    Loss,
    NearDuplicates,
    PredictBatch,
    Seed,
    Share,
    Side,
    Views,
)
from fivefold.config.section_or_name import SectionOrName
from fivefold.config.sections import STRICT, DatasetSection
from fivefold.config.stage_keys import StageConfig


class ExperimentKeys(BaseModel):
    """The keys of a config, with defaults for those that the file leaves out."""

    model_config = STRICT

    architecture: Name | None = Field(
        None,
        description="What is trained: a name of `fivefold list backbones`, which classifies, or "
        "of `fivefold list architectures`, which makes masks, or a network of your own that does "
        "either; required to train.",
    )
    backbone: Encoder = None
    decoder: Decoder = {}
    pooling: Literal["avg", "max", "concat", "attention"] = Field(
        "avg",
        description="How the features of all positions become one vector: `avg` as the net was "
        "trained, which is their mean, or the class token of transformers that have one; `max`; "
        "`concat` the mean and the maximum side by side; `attention` a mean whose weights are "
        "learned, also where the backbone is frozen. Of transformers the last two see the patches.",
    )
    cut_levels: Annotated[int, Field(ge=0, le=1000)] = Field(
        0,
        description="Levels of the backbone that are left out at its end: the stages of a "
        "convolutional net (timm's ResNet has 5, the stem being one), the blocks of a transformer.",
    )
    downscaling: Annotated[int, Field(ge=0, le=8)] = Field(
        0,
        description="Learned steps before the backbone, each of which halves height and width: "
        "with 1 a `shape` of 448 pixels is 224 for the backbone. They learn in every stage.",
    )
    downscaling_filters: Annotated[int, Field(ge=1, le=4096)] = Field(
        64, description="Channels within the steps of `downscaling`."
    )
    classes: Annotated[
        ClassCount | Annotated[Many[ClassCount], Field(min_length=1)] | None,
        one_of("a whole number of at least 1, or a list with one for each output"),
    ] = Field(
        None, description="Number of classes, a list for several outputs; default the data's."
    )
    activation: Annotated[
        Name | Annotated[Many[Name], Field(min_length=1)] | None,
        one_of("a name, or a list with one name for each output"),
    ] = Field(
        None,
        description="`softmax` (one class is true) or `sigmoid` (any number), a list for several "
        "outputs; default what the labels say.",
    )
    weights: Annotated[Name, one_of("'imagenet', 'none' or a path"), NullMeans("none")] = Field(
        "imagenet",
        description="Backbone weights: `imagenet`, `none` (also null), or the path of a "
        "`.safetensors` or `.pth` file, relative to the config.",
    )
    shape: Annotated[
        Annotated[tuple[Side, Side, Channels], Field(strict=False)],
        one_of("[height, width, channels]: pixels 1-16384, channels 1-64"),
    ] = Field((224, 224, 3), description="Input [height, width, channels] in pixels.")
    copy_weights: bool = Field(
        False,
        alias="copyWeights",
        description="With other than 3 channels: start the last one from the pretrained blue, as "
        "Musket does; false starts further channels from zeros.",
    )
    dropout: Fraction = Field(0.0, description="Fraction of features dropped before the head.")
    head_layers: HeadLayers = Field(
        (),
        description="Layers between the features and the last layer, in this order, which all "
        "outputs share: a whole number is a linear layer of so many units with an activation, a "
        "fraction below 1 a dropout, such as `[256, 0.4]`.",
    )
    head_activation: Name = Field(
        "relu",
        description="Activation behind each linear layer of `head_layers`, by Keras's or "
        "PyTorch's name: `relu`, `gelu`, `silu`, `tanh`, …",
    )
    head_batchnorm: bool = Field(
        False,
        description="BatchNorm between each linear layer of `head_layers` and its activation.",
    )
    optimizer: ChoiceField = Field(
        Choice("Adam", {}), description="Optimizer by name, or `{name: {option: value}}`."
    )
    lr: LearningRate = Field(0.001, description="Learning rate.")
    schedule: ChoiceField = Field(
        Choice("constant", {}),
        description="How the learning rate moves within a stage: a name, or "
        "`{name: {option: value}}`.",
    )
    batch: BatchSize = Field(16, description="Samples in a batch.")
    accumulate: Batches = Field(
        1,
        description="Batches in one step of the optimizer: gradients are those of one batch so "
        "many times as large, in the memory of a small one. BatchNorm still sees small ones.",
    )
    ema: Fraction = Field(
        0.0,
        description="Average the weights over the steps of a stage, such as 0.999: what is "
        "validated and saved are weights that keep this part of themselves in each step, at most "
        "(1 + steps) / (10 + steps); 0 is off.",
    )
    layer_decay: LayerDecay = Field(
        1.0,
        description="Layer-wise learning rates: the head has `lr`, each layer of the backbone this "
        "fraction of the layer's after it, such as 0.75; 1 is off.",
    )
    no_bias_weight_decay: bool = Field(
        True,
        description="Keep the optimizer's `weight_decay` from biases, the scales and shifts of "
        "normalisation, and what the net itself exempts; false lets all weights decay.",
    )
    clipnorm: GradientBound = Field(
        0.0, description="Largest norm of all gradients together, before `clipvalue`; 0 is off."
    )
    clipvalue: GradientBound = Field(
        0.0, description="Largest absolute value of each gradient; 0 is off."
    )
    loss: Loss = Field(
        None,
        description="Loss by name or expression (`binary_crossentropy+0.1*dice_loss`), a list for "
        "several outputs; default by activation.",
    )
    balance: BalanceKey = Field(
        "none",
        description="What to do where some classes have many more images than others: `weights` "
        "(as `class_weights: balanced`) or weights by class name; or draw as many images of each "
        "class for every epoch: `sampler` (an epoch as long as before), `upsampling` (as many as "
        "the largest class has), `downsampling` (the smallest), or a number of images.",
    )
    prior_correction: bool = Field(
        True,
        description="With `balance`: correct predictions for it, so that probabilities are those "
        "of data in which classes are as frequent as in the training samples.",
    )
    class_weights: ClassWeights = Field(
        "none",
        description="How much each class counts in the training loss, from the fold's training "
        "samples: `balanced` (samples / (classes * samples of the class)), `inverse` (the largest "
        "class / the class), `log` (max(1, ln(positive_weights_multiply * samples / samples of the "
        "class))), or a mapping from class names to numbers. `val_loss` is never weighted.",
    )
    positive_weights_multiply: Weight = Field(
        1.0, description="The factor in `class_weights: log`; the larger, the more rare ones count."
    )
    pos_weight: PosWeight = Field(
        1.0,
        description="How much more the true answers of a sigmoid head count in the training loss: "
        "a number, a list with one for each class, a mapping by class, or `balanced` (samples "
        "without the class / samples with it).",
    )
    l1: Penalty = Field(
        0.0,
        description="This times the sum of all trained weights' absolute values is added to the "
        "training loss; biases and normalisation are left alone.",
    )
    l2: Penalty = Field(
        0.0, description="The same with the sum of their squares, as Keras's `l2` has it."
    )
    metrics: NamesField = Field((), description="Metrics to compute after every epoch.")
    final_metrics: StepsField = Field(
        (),
        description="Metrics to compute once, after training; with `{for_validation: true}` behind "
        "its name, and as `primary_metric`, one is computed after every epoch too.",
    )
    experiment_result: Name | None = Field(
        None,
        description="The metric that stands for the whole experiment, such as `macro_f1`, or "
        "`macro_f1_holdout` on the holdout; a search follows it.",
    )
    calibration: Calibration = "none"
    thresholds: Thresholds = 0.5
    smallest_area: SmallestArea = 0
    coverage: Coverage = 0.9
    primary_metric: Name = Field(
        "val_loss",
        description="What decides which epoch's weights are the best; of equal epochs, the first.",
    )
    primary_metric_mode: Literal["auto", "min", "max"] = Field(
        "auto", description="Which direction is better; `auto` knows it for every metric."
    )
    callbacks: StepsField = Field((), description="Callbacks by name with their options.")
    show_data_examples: bool = Field(
        False,
        alias="showDataExamples",
        description="After every epoch, draw training samples as the network has seen them into "
        "`examples/STAGE/FOLD/train`. A short form of the callback TrainExamples.",
    )
    example_epochs: ExampleEpochs = 3
    keep_maps: KeepMaps = True
    early_stopping: EpochsOrOff = Field(
        0,
        description="End a stage after so many epochs without a better `primary_metric`; 0 is "
        "off. A short form of the callback EarlyStopping.",
    )
    augmentation: StepsField = Field(
        (),
        description="Augmenters by name with their options, in this order; a list of single-key "
        "mappings may hold one twice.",
    )
    transforms: StepsField = Field(
        (),
        description="Augmenters that every image goes through, in training (after `augmentation`), "
        "validation and prediction. What is random in them is drawn from the image itself, so an "
        "image is always changed alike.",
    )
    detail: Detail = Field(
        2.0,
        description="Where `augmentation` enlarges parts of an image, as RandomResizedCrop does, "
        "they come from a picture that is so many times as high and wide as `shape`, if the image "
        "has more pixels than that; with 1 they come from one of the network's size.",
    )
    freeze_encoder: bool = Field(
        False, description="Freeze the backbone until a stage says `unfreeze_encoder: true`."
    )
    layers_to_train: LayersToTrain = Field(
        -1,
        description="Train so many layers at the end of the backbone and freeze the others; 0 "
        "freezes all, -1 none. Layers are counted as `layer_decay` does: a block with its "
        "normalisation is one.",
    )
    freeze_batchnorm: bool = Field(
        False, description="Hold BatchNorm's statistics while the backbone is trained."
    )
    frozen_views: Views = Field(
        4,
        description="In a stage with a frozen backbone, features are computed once: of each image "
        "as it is, and of so many augmented views that the epochs take in turn; 0 turns "
        "augmentation off there.",
    )
    profile: Literal["exact", "auto", "fast"] = Field(
        "exact",
        description="`exact`: float32, nothing measured. `auto`: memory layout and threads as a "
        "short probe finds them fastest. `fast`: bfloat16 too, where the probe finds it faster.",
    )
    cache: CacheSize = Field(
        default=True,
        description="Keep decoded pixels, features and what names finished stages on the disk for "
        "later runs: true (20 gigabytes), false, or the most gigabytes that all experiments "
        "together may take. `FIVEFOLD_CACHE` says where.",
    )
    stages: Annotated[Many[StageConfig], Field(max_length=1000), NullMeans(())] = Field(
        (), description="Stages of training, one after another; required to train."
    )
    dataset: DatasetSection | None = Field(None, description="Where the images and labels are.")
    datasets_path: Name | None = Field(
        None,
        description="The folder that `folder`, `csv` and `images` of data sets start from; "
        "relative to the config.",
    )
    preprocessing: ChainField = Field(
        (),
        description="Functions of a module in `imports`, from a data set to a data set, by name "
        "with their options, which the data sets that this config describes go through in this "
        "order. Images to predict do not: what they need too belongs into `transforms`.",
    )
    declarations: dict[str, Any] = Field(
        {},
        description="Chains for `preprocessing` by name: a list, or `parameters` and a `body` in "
        "which they stand for what the chain is called with.",
    )
    pretrain_transform: Name | None = Field(
        None,
        description="A function of a module in `imports`, from the data set without its holdout to "
        "the one that folds are made of.",
    )
    extra_train_data: SectionOrName = Field(
        None,
        description="Further samples that every fold is trained on and none is validated on: "
        "written like `dataset`, or the name of what Python has put into "
        "`classification.extra_train`. Exact copies of other samples are left out.",
    )
    dataset_augmenter: DatasetAugmenter = Field(
        None,
        description="`{name: X, option: value}`, X one of `classification.dataset_augmenters` or "
        "of a module in `imports`: called with the options it gives a function from folds, as "
        "`kfold` gives them, to folds, which may validate other samples and train on further ones "
        "(`addToTrain`).",
    )
    folds_count: Annotated[int, Field(ge=1, le=1000)] = Field(
        5, description="Number of folds; 1 makes one split by `validationSplit`."
    )
    validation_split: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, alias="validationSplit", description="With one fold: the fraction for validation."
    )
    stratified: bool = Field(
        True, description="Keep the classes' shares equal in all folds (false in Musket)."
    )
    random_state: Seed = Field(33, description="Seed of the folds.")
    test_split: Fraction = Field(
        0.0, alias="testSplit", description="Fraction kept out of all folds as holdout."
    )
    test_split_seed: Seed = Field(123, alias="testSplitSeed", description="Seed of the holdout.")
    near_duplicates: NearDuplicates = Field(
        4,
        description="Keep pictures in one fold that show the same though their files differ: in "
        "how many of 64 bits their perceptual hashes may differ, 1 to 8; `off` keeps only exact "
        "copies together.",
    )
    subsample: Share = Field(
        1.0,
        description="The fraction of a fold's training samples that each epoch takes, drawn anew; "
        "validation is always whole. (Musket divided an epoch's steps by it: its 3 is 0.333 here.)",
    )
    max_epoch_size: Annotated[int, Field(ge=0, le=1_000_000_000), NullMeans(0)] = Field(
        0,
        alias="maxEpochSize",
        description="The most batches that an epoch trains on, of samples drawn anew; 0 is all.",
    )
    folds_from: FoldLists = Field(
        None,
        description="Folds of one's own: a CSV table with a column `fold` (-1 is the holdout) "
        "beside one of sample ids, relative to the config, or a list with a list of ids for each "
        "fold. Samples that are in no fold are always trained on. `folds_count` must agree.",
    )
    seed: Seed = Field(0, description="Seed of training: heads, order of samples, augmentation.")
    num_seeds: Annotated[int, Field(ge=1, le=1000), NullMeans(1)] = Field(
        1,
        description="Train the whole experiment so often, each time with `seed`, `random_state` "
        "and `testSplitSeed` one higher, in folders `0`, `1` and so on below the experiment's; its "
        "summary is over them.",
    )
    inference_batch: PredictBatch = Field(
        "auto",
        description="Samples in a batch when predicting; `auto` takes what a short probe finds "
        "fastest.",
    )
    num_workers: Annotated[int, Field(ge=1, le=256)] = Field(
        2, description="Threads that decode and augment images."
    )
    test_time_augmentation: Annotated[
        Literal["Horizontal", "Horizontal_and_vertical"] | bool,
        one_of("true, false, 'Horizontal' or 'Horizontal_and_vertical'"),
        NullMeans(value=False),
    ] = Field(
        False,
        alias="testTimeAugmentation",
        description="Average predictions over flipped images: true for all four flips.",
    )
    crops: Annotated[int, Field(ge=1, le=100), NullMeans(1)] = Field(
        1,
        description="Cut each image of `shape` into n x n cells, which the network sees one by "
        "one; each is augmented on its own. An image's prediction is the mean over its cells.",
    )
    imports: Annotated[Many[Name], Field(max_length=1000), NullMeans(())] = Field(
        (), description="Python modules beside the config with own components; needs consent."
    )
