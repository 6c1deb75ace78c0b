"""Names of components that Musket knows and a later version brings."""

from collections.abc import Mapping


def _names(text: str) -> frozenset[str]:
    return frozenset(text.casefold().split())


LATER: Mapping[str, frozenset[str]] = {
    "metric": _names("""
        sparse_top_k_categorical_accuracy crossentropy ce dice iou iou_coef iot f1_loss l2_loss
        matthews_correlation iou_score jaccard_score f1_score f2_score dice_score
        crf_viterbi_accuracy crf_accuracy crf_marginal_accuracy dice_loss jaccard_loss lovasz_loss
        focal_loss iou_loss binary_crossentropy categorical_crossentropy
        sparse_categorical_crossentropy mean_squared_error mse mean_absolute_error mae
        mean_absolute_percentage_error mape mean_squared_logarithmic_error msle squared_hinge hinge
        categorical_hinge logcosh kullback_leibler_divergence kld poisson cosine_proximity cosine
    """)
    | {
        f"{metric}_{threshold}true_negative_is_{rule}"
        for metric in ("dice", "iou", "map10")
        for threshold in ("", "with_custom_treshold_")
        for rule in ("zero", "one", "skip")
    },
    "activation": _names("""
        relu relu6 tanh elu selu softplus softsign hard_sigmoid exponential
    """),
}
"""Kind of component -> names in lower case; the catalogs hold what works today."""
