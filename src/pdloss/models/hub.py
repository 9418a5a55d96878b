"""Models in repositories of the Hugging Face Hub: three named files are fetched or written, and nothing else.

Its own package does the transfers, so its variables hold: ``HF_ENDPOINT``, ``HF_HUB_OFFLINE``, ``HF_TOKEN``,
``HF_HOME``. No code of a repository is fetched, no pickle; what its files say is text that came in a file.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pdloss import __version__
from pdloss.errors import MissingExtraError, RunError
from pdloss.limits import HEADER_BYTES, NETWORK_PARAMETERS
from pdloss.models.addresses import Repository
from pdloss.records import MODEL_CARD, MODEL_CONFIG, MODEL_WEIGHTS, ModelConfig, read_record

_US = {"library_name": "pdloss", "library_version": __version__}
MOST_BYTES = 4 * NETWORK_PARAMETERS + HEADER_BYTES
"""Of a file of weights that is fetched: the largest network that is built, in float32."""


def fetch(repository: Repository) -> Path:
    """Returns the model folder that the repository holds, in the package's own cache; fetched if it is not there.

    With ``PDLOSS_OFFLINE`` or ``HF_HUB_OFFLINE`` set, and where the Hub does not answer, only what was fetched before
    is found. All files are of one commit.

    Raises:
        MissingExtraError: If huggingface_hub is not installed.
        RunError: If there is no such repository, it may not be read, it holds no model of ours, or cannot be had.
    """
    hub = _package()
    offline = os.environ.get("PDLOSS_OFFLINE", "0") not in ("", "0")
    usual = {"repo_id": repository.name, "local_files_only": offline, **_US}
    with _sentences(repository, "fetched"):
        config = Path(hub.hf_hub_download(filename=MODEL_CONFIG, revision=repository.revision, **usual))
        try:
            read_record(config, ModelConfig)
        except RunError as error:
            raise RunError(f"the repository {repository} holds no model of pdloss: {error}") from None
        commit = config.parent.name
        here = hub.try_to_load_from_cache(repository.name, MODEL_WEIGHTS, revision=commit)
        if not isinstance(here, str) and not offline:
            _check_size(hub, repository, commit)
        hub.hf_hub_download(filename=MODEL_WEIGHTS, revision=commit, **usual)
        with contextlib.suppress(hub.errors.EntryNotFoundError):  # a card there may be
            hub.hf_hub_download(filename=MODEL_CARD, revision=commit, **usual)
    return config.parent


def fetched_before(repository: Repository) -> bool:
    """Returns whether something of the repository is in the package's cache, without asking anybody."""
    try:
        from huggingface_hub import constants  # alone, since the rest takes a fifth of a second
    except ImportError:
        return False
    return (Path(constants.HF_HUB_CACHE) / f"models--{repository.name.replace('/', '--')}").is_dir()


def upload(files: Mapping[str, bytes], repository: Repository, private: bool, overwrite: bool) -> str:
    """Writes the files as one commit, into a repository that is made if there is none, and returns its address.

    Args:
        files: Their contents, by name.
        repository: Where to.
        private: Whether nobody else shall see a repository that is made.
        overwrite: Whether files of these names that stand there may be replaced; the repository keeps the old commits.

    Raises:
        MissingExtraError: If huggingface_hub is not installed.
        RunError: If it may not be written, or holds such files already.
    """
    hub = _package()
    with _sentences(repository, "written"):
        api = hub.HfApi(**_US)
        made = api.create_repo(repository.name, private=private or None, exist_ok=True)
        if private and not api.model_info(repository.name).private:
            raise RunError(f"the repository {repository} is there already, and public: nothing was sent")
        there = [name for name in files if api.file_exists(repository.name, name, revision=repository.revision)]
        if there and not overwrite:
            raise RunError(
                f"the repository {repository} holds {', '.join(there)} already: --overwrite replaces them, in a new "
                "commit; those before stay in its history"
            )
        api.create_commit(
            repository.name,
            [hub.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content) for name, content in files.items()],
            commit_message=f"Weights, configuration and card, by pdloss {__version__}",
            revision=repository.revision,
        )
    return str(made)


def _package() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError:
        raise MissingExtraError("huggingface_hub", "hub") from None
    return huggingface_hub


def _check_size(hub: Any, repository: Repository, commit: str) -> None:
    """Refuses weights that no network has, before they fill the disk."""
    size = hub.get_hf_file_metadata(hub.hf_hub_url(repository.name, MODEL_WEIGHTS, revision=commit), **_US).size or 0
    if size > MOST_BYTES:
        raise RunError(
            f"{MODEL_WEIGHTS} of the repository {repository} has {size:,} bytes, and at most {MOST_BYTES:,} are fetched"
        )


@contextlib.contextmanager
def _sentences(repository: Repository, done: str) -> Iterator[None]:
    """Turns the package's errors into sentences."""
    from huggingface_hub import errors

    login = "log in with 'hf auth login', or set HF_TOKEN"
    try:
        yield
    except (RunError, KeyboardInterrupt):
        raise
    except errors.GatedRepoError:
        raise RunError(
            f"the repository {repository} is gated: accept its terms on its page, and then {login}"
        ) from None
    except errors.RepositoryNotFoundError:
        raise RunError(
            f"there is no repository {repository} on the Hub, or it is private and you may not see it: check the name, "
            f"or {login}"
        ) from None
    except errors.RevisionNotFoundError:
        raise RunError(f"the repository {repository.name} has no commit, branch or tag {repository.revision}") from None
    except errors.LocalEntryNotFoundError as error:
        raise RunError(f"the repository {repository} was not fetched before, and {_why_not(error)}") from None
    except errors.EntryNotFoundError as error:
        missing = next((name for name in (MODEL_CONFIG, MODEL_WEIGHTS) if name in str(error)), "a file")
        raise RunError(
            f"the repository {repository} holds no model of pdloss: it has no {missing}; such a one has "
            f"{MODEL_WEIGHTS} and {MODEL_CONFIG}, and others are opened by the library that wrote them"
        ) from None
    # What else comes out of the package differs from version to version: requests' errors, httpx's, httpx2's, the
    # system's. None of them is a fault of ours.
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise RunError(
                f"the repository {repository} may not be {done} with this login ({status}): {login}"
            ) from None
        said = [str(each).strip().splitlines()[0] for each in (error, error.__cause__) if str(each or "").strip()]
        reason = " ".join(said) or type(error).__name__
        raise RunError(f"the repository {repository} could not be {done}: {reason}") from None


def _why_not(error: BaseException) -> str:
    if os.environ.get("PDLOSS_OFFLINE", "0") not in ("", "0"):
        return "PDLOSS_OFFLINE forbids a download: unset it once"
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE forbids a download: unset it once"
    cause = str(error.__cause__ or error).strip().splitlines()
    return f"the Hub at {constants.ENDPOINT} does not answer ({cause[0] if cause else type(error).__name__}): try again"
