"""Programs that draw the course of a training: the names that ``--log`` takes.

A logger is a `Watcher` built from the run folder; it imports its package when it is built, so that one that is missing
is said before anything is read. What they have in common stands in `contents`.
"""

from pdloss.specs import check_known

LOGGERS = {
    "mlflow": "pdloss.training.loggers.mlflow:MLflow",
    "tensorboard": "pdloss.training.loggers.tensorboard:TensorBoard",
    "trackio": "pdloss.training.loggers.trackio:Trackio",
    "wandb": "pdloss.training.loggers.wandb:WeightsAndBiases",
}
"""Name, which is also that of its extra, to the class."""


def names_of(text: str) -> list[str]:
    """Returns the names in a list such as ``"tensorboard,mlflow"``, each once.

    Raises:
        SpecError: If one is unknown.

    Example:
        >>> names_of("wandb, mlflow,wandb")
        ['wandb', 'mlflow']
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        check_known("logger", name, LOGGERS)
    return names
