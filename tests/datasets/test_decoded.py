import pickle
import random

import pytest
import torch

from pdloss.datasets import source
from pdloss.datasets.contents import contents
from pdloss.datasets.decoded import Mapped, decode_all, file_for, read_list, write
from pdloss.errors import ImageError
from tests.datasets.coded import SIZES


def written(folder):
    path = file_for(source(folder), contents(source(folder)))
    return path, write(path, decode_all(source(folder), lambda info: None))


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

    def stop(info):
        seen.append(info.name)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(decode_all(source(folder), stop))
    assert seen == list(SIZES)[:2]


def test_a_flipped_bit_in_the_file_is_found_wherever_it_is(folder):
    path, (found, _) = written(folder)
    whole, chance = path.read_bytes(), random.Random(0)
    for _ in range(100):
        place = chance.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
        if read_list(path) is None:
            assert place >= Mapped(path, found).starts[-1], "the list at the end"
            continue
        number = sum(start <= place for start in Mapped(path, found).starts) - 1
        mapped = Mapped(path, read_list(path))
        for other in set(range(len(found))) - {number}:
            assert mapped[other].shape == (3, *found[other].shape)
        with pytest.raises(ImageError, match=rf"is damaged at {found[number].name}; it was removed"):
            mapped[number]
        assert not path.exists()
