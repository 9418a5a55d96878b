"""How repositories of the Hub are written."""

import pytest

from pdloss.models.addresses import Repository, address, is_hub_address, repository_of


@pytest.mark.parametrize(
    "text",
    ["jpeg", "runs/a/b", "./a/b", "../a", "/a/b", "a/", "a//b", "a/..", "a b/c", "a/b@", "a/b--c", "-a/b", "a/b.",
     "a\\b/c", "ä/b", "a/weights.safetensors", "https://huggingface.co/a/b", "a/b\n", "a/" + 97 * "b"],
)  # fmt: skip
def test_what_can_be_no_repository_is_none(text: str) -> None:
    assert repository_of(text) is None


def test_a_repository_is_written_as_it_is_read() -> None:
    for text in ("anna/x4", "anna/x4.v2_small-1", "anna/x4@main", "anna/x4@refs/pr/1", "anna/x4@v1.0"):
        repository = repository_of(text)
        assert repository is not None and str(repository) == text
        assert repository_of(address(repository)) == repository
        assert is_hub_address(address(repository)) and not is_hub_address(text)
    assert repository_of("anna/x4@v1.0") == Repository("anna/x4", "v1.0")
