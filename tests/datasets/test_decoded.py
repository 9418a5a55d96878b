import pickle

import pytest
import torch

from pdloss.datasets import source
from pdloss.datasets.decoded import Mapped, file_for, look, read_list, write
from tests.datasets.coded import SIZES


def written(folder):
    path = file_for(source(folder))
    return path, write(path, look(source(folder), lambda looked: None))


def test_a_finished_file_holds_the_list_of_its_images(folder):
    path, (found, problem) = written(folder)
    assert problem == ""
    assert read_list(path) == found
    assert [image.shape for image in found] == list(SIZES.values())


@pytest.mark.parametrize("kept", [0, 5, -1])
def test_a_file_cut_short_is_not_taken(kept, folder):
    path, _ = written(folder)
    path.write_bytes(path.read_bytes()[:kept])
    assert read_list(path) is None


def test_no_file_is_no_list(tmp_path):
    assert read_list(tmp_path / "absent") is None


def test_files_of_earlier_states_of_the_folder_go(folder):
    before, _ = written(folder)
    (folder / "a.png").unlink()
    after, _ = written(folder)
    assert before != after
    assert list(after.parent.glob(f"{after.name.partition('-')[0]}-*")) == [after]


def test_mapped_pixels_travel_as_a_name(folder):
    path, (found, _) = written(folder)
    mapped = Mapped(path, found)
    whole = mapped[2].clone()
    sent = pickle.dumps(mapped)
    assert len(sent) < 1000
    assert torch.equal(pickle.loads(sent)[2], whole)


def test_decoding_ends_with_what_the_listener_raises(folder):
    seen = []

    def stop(looked):
        seen.append(looked.name)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(look(source(folder), stop))
    assert seen == list(SIZES)[:2]
