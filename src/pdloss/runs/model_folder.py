"""What a model folder, as a repository of the Hub is, says of the network whose weights lie in it."""

from pathlib import Path

from pdloss.assets import metadata
from pdloss.errors import AssetError, RunError
from pdloss.records import MODEL_CONFIG, MODEL_WEIGHTS, ModelConfig, read_record


def model_config(folder: Path) -> ModelConfig:
    """Returns what a model folder says of its network.

    Raises:
        RunError: If it does not say, or says something else than the weights themselves.
    """
    file = folder / MODEL_CONFIG
    if not file.is_file():
        raise RunError(f"{folder} has {MODEL_WEIGHTS} and no {file.name}, which would say to which network they belong")
    config = read_record(file, ModelConfig)
    try:
        said = metadata(folder / MODEL_WEIGHTS).get("network", config.network)
    except AssetError as error:
        raise RunError(str(error)) from None
    if said != config.network:
        raise RunError(
            f"{file} says that the weights beside it belong to {config.network}, and they say to {said}: the two files "
            "come from different models"
        )
    return config
