"""Public sets of photographs by name: what they are, on whose terms, and where they can be fetched.

No checksum was invented; the comment above each set says where its own come from. ``sha256:`` and ``md5:`` are of the
file as it is served; MD5 finds damage, but not forgery (`Download.forgeable`), and so the SHA-256 of what first comes
is shown, kept beside the data, and demanded from then on. ``pixels:`` is the SHA-256 of the decoded image as
`pdloss.images.pixels_sha256` takes it, computed from copies at hand whose bytes were compressed anew: such a file
may come in other bytes, but not with other pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """One file to download.

    Args:
        url: Where it is served.
        checksum: ``"sha256:…"``, ``"md5:…"`` or ``"pixels:…"``.
        size: Its bytes, or None where nobody published them.
    """

    url: str
    checksum: str
    size: int | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]

    @property
    def kind(self) -> str:
        """What the checksum is: ``"sha256"``, ``"md5"`` or ``"pixels"``."""
        return self.checksum.partition(":")[0]

    @property
    def forgeable(self) -> bool:
        """Whether somebody could make another file of this checksum."""
        return self.kind == "md5"


@dataclass(frozen=True)
class Part:
    """Images that come to lie in one folder.

    Args:
        folder: Its name below the set's own folder; empty for that folder itself.
        images: How many.
        bytes: What they occupy, roughly.
        downloads: The images themselves, or one archive that holds them.
        inside: The archive's folder whose images are taken; None where the downloads are the images.
    """

    folder: str
    images: int
    bytes: int
    downloads: tuple[Download, ...]
    inside: str | None = None


@dataclass(frozen=True)
class PhotoSet:
    """A set of photographs.

    Args:
        name: What a user types.
        about: What it is.
        terms: Its licence, in a few words.
        parts: What it consists of.
    """

    name: str
    about: str
    terms: str
    parts: tuple[Part, ...]


def _images(base: str, pixels: Mapping[str, str], size: int) -> tuple[Part, ...]:
    downloads = tuple(Download(f"{base}/{name}.png", f"pixels:{sha256}") for name, sha256 in pixels.items())
    return (Part("", len(downloads), size, downloads),)


_DIV2K = "https://data.vision.ee.ethz.ch/cvl/DIV2K"
_BSDS500 = Download(
    "https://www.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz",
    "md5:0b17383ff0b21fe43d2f28e624203169",
    70763455,
)
_KODAK = "https://r0k.us/graphics/kodak/kodak"
_BENCHMARKS = (
    "https://raw.githubusercontent.com/majedelhelou/denoising_datasets/58234876fef6f1b56306705c78dfd40cdb837b86"
)
_KODAK_PIXELS = {
    "kodim01": "50b25b8d1329f547fc7daf72ce155a835fb202ecc13a8f8f6ec9fd6061053537",
    "kodim02": "fe454cade45c550e31ac37236255540d32de1d372fa503509a7833a0f13fff64",
    "kodim03": "c45fe9daee987f7c22d34ebf1edf14503c18884eaadc4e02ad8369f8c064d5f4",
    "kodim04": "952e10463d489eeb382eae597cb93ec959075c536775fdfa1b5e8b044be34322",
    "kodim05": "9469ec09d538a1a27f0dea6e25c5cd7c97f3d44bd69a957cbb6d6844e64699d2",
    "kodim06": "41393a613b1f302a904f8ddb478d88467a0cbbc2a0fba9cffa2dea4aa739e7ae",
    "kodim07": "c0abb99f5525d892f3f845ae14e90f7b7880d6ff74a7aab1a617ac90d351af5d",
    "kodim08": "9b1bc299a60bb10dc48a273f89054574ea09acf03b656c526c4134af9e77728e",
    "kodim09": "b80dc42891f845b57a779e89e0476b7440758868933d46b172f7f8726e521290",
    "kodim10": "474bd725ef90ef95d6c5dcc8f20460b761e0a7e571dfa0875bfcb8a68632d636",
    "kodim11": "9232b23280fe1306ff9c97332fd9b1b52d9eec2cfb2ef5fc43c5f776315255ca",
    "kodim12": "2a23ac0ab61579db07b77070c1d3c9ab17db5c9317cfb90e14019aba6acaeb92",
    "kodim13": "711569d4e0d02b210aac155af101c74ba56ed0a1c425f03e2cd9d423d2a26c09",
    "kodim14": "55f0885f38f2610e3cca7cbc7efbd46e75dd56ac48f8431cdb61215bba8306ba",
    "kodim15": "e10444f439aa83ed1d6f1b903c81edf6826413d9a1c01ecc7de3f2508cc033c4",
    "kodim16": "174b473ab2fee50eb8159e4be80d73b639b1fccf1d00e1b20633e4f8de0e1116",
    "kodim17": "4d66268b047c28b91c403b454fdbdfb28388f0a09e5501945efbe43cd6cbac3e",
    "kodim18": "98e2f286bf984b813e3c796c24d2f0453a1fd0de39fc90464eaa5c094154c491",
    "kodim19": "45b56c7e94daab6b581220521be1129742520a106c1b7b42dfe1f3e0052d2001",
    "kodim20": "d21df3b05329d194e117cf81427f89a1d8b65ff063cf4c95225863ffdacbf0d5",
    "kodim21": "53017e79955bfc11ad8d8abd52afb62147234f6e10da26e81b8d297d4b83dab3",
    "kodim22": "c2c25dd6e3e7b0a34a3ec3ab5a52759856c58178a851424188a8103344681422",
    "kodim23": "7edd8903d635eb452ca4211a20af445cecbf437a004e8ba95b38157ac70ed40b",
    "kodim24": "7182a7c4d7d59b3064c7e97c91d64ab38ba52da3b50f6d201b6e7020d7959d4a",
}
_SET5_PIXELS = {
    "baby": "536e172c4bce60bce6e718055051bda38e9968401fe89f6628fda81b3d1acdb6",
    "bird": "3e0083d344fcbf74999b7be785ce71ef5acff84a619eb24863d958a8383f8564",
    "butterfly": "10fdf91c79305a15696795659198714ea3c3e7fa3cbbb5c9df06307cb6daf423",
    "head": "4d94ee425d0861b2539f1932a72b3274624887a2cbf4a093423f2ee256fd0834",
    "woman": "24c4bc3904bd05c74e1c121cf55dde3dd05bf864aaea8f626d8f287a87af0328",
}
_SET14_PIXELS = {
    "baboon": "ee7f660f94af03f4b2d1cd128a6f212ab140bc1abe497d45de8ae019d1d4acdf",
    "barbara": "47f9371b2f80b4868ef6a382a36faf292ef81a0b31218ba8a5abadde97a56742",
    "bridge": "c8750c6a0dab76e11973aba32a49103636693c7584e924f1c600751c18bcf064",
    "coastguard": "0c15171fb82d7fcbaed4a4a57a69d6f29ce0d39653d9b6ab7fff834dc8d52b83",
    "comic": "256a34fc53cbc16334dcd9d03e4a7916669fa784f5952a1e721d96bd8296ba2c",
    "face": "aa9468bfd456c3e5533b4bbe59033a40544029faf1a58b50456b495f91647e60",
    "flowers": "b1e46df70261348d7fe57f738738f71e7920016fa9d131eb099d3f51ce8430c0",
    "foreman": "33c75b703ab98c1c2bc7db9724a459c99da56873ef5de3fba49411df0a0bb8ab",
    "lenna": "d7b8c1b9ef4d2b55527bbce06b9c11916b77f3f60d7ca32d4a829056ad504725",
    "man": "96b15b22ce2d61b1e66f6660574ccc77add32660f76a02f09e71210b34ce2ead",
    "monarch": "9044c241af31db33081c9ce4b13816f20cb00e1ed967984c45a8cd0f53a930aa",
    "pepper": "5d94a10d454cfaca5de4744d3dbe1fc751b36d40837bc653adebee702a6bd757",
    "ppt3": "662654b47fe36c78b736476bcfa3a329746c0d58510c9f20246310ee657a0ba6",
    "zebra": "5aee5d3ef31d55780682aea8f0a7ce4929993e87c34cb356bf3a5928e260d28f",
}

_SETS = (
    # Sizes and SHA-256 reported by TensorFlow Datasets (url_checksums/div2k.txt).
    PhotoSet(
        "div2k",
        "900 photographs, about 2000 pixels wide, PNG: what the paper trains and evaluates on",
        "academic research only",
        (
            Part(
                "train",
                800,
                3530603713,
                (
                    Download(
                        f"{_DIV2K}/DIV2K_train_HR.zip",
                        "sha256:9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335",
                        3530603713,
                    ),
                ),
                "DIV2K_train_HR",
            ),
            Part(
                "valid",
                100,
                448993893,
                (
                    Download(
                        f"{_DIV2K}/DIV2K_valid_HR.zip",
                        "sha256:20dd31fd84d777bc1cf5d6b7654a3f569c0aec74458ae094122ad1d0489900fc",
                        448993893,
                    ),
                ),
                "DIV2K_valid_HR",
            ),
        ),
    ),
    # MD5 reported by torchSR (Coloquinte/torchSR) and by a second public loader; nobody reports the size.
    PhotoSet(
        "flickr2k",
        "2650 more photographs like DIV2K's, by the authors of EDSR; the archive also holds reduced copies",
        "none stated; photographs from Flickr",
        (
            Part(
                "train",
                2650,
                11_600_000_000,
                (Download("https://cv.snu.ac.kr/research/EDSR/Flickr2K.tar", "md5:5d3f39443d5e9489bff8963f8f26cb03"),),
                "Flickr2K/Flickr2K_HR",
            ),
        ),
    ),
    # Size reported by tensorpack, MD5 by one public loader.
    PhotoSet(
        "bsds500",
        "500 photographs of 481 x 321, JPEG; valid is BSD100, which contains CBSD68: train on the other two",
        "non-commercial research and education",
        tuple(
            Part(folder, images, images * 73_500, (_BSDS500,), f"BSR/BSDS500/data/images/{inside}")
            for folder, inside, images in (("train", "train", 200), ("valid", "val", 100), ("test", "test", 200))
        ),
    ),
    # Pixels computed from a public copy of that page (MohamedBakrAli/Kodak-Lossless-True-Color-Image-Suite@dd2e1105);
    # the numbering was confirmed by the crops that denoising papers use.
    PhotoSet(
        "kodak24",
        "24 photographs of 768 x 512, scanned from film: the usual test set of denoising and compression",
        "released by Kodak for unrestricted use, so its page says",
        _images(_KODAK, _KODAK_PIXELS, 15_400_000),
    ),
    # Pixels computed from the files of this very commit, as for Set14.
    PhotoSet(
        "set5",
        "5 pictures, the smallest test set of super-resolution; butterfly is a crop of Set14's monarch",
        "none stated",
        _images(f"{_BENCHMARKS}/Set5", _SET5_PIXELS, 850_000),
    ),
    PhotoSet(
        "set14",
        "14 pictures, a test set of super-resolution; face is a crop of Set5's head, bridge is gray",
        "none stated",
        _images(f"{_BENCHMARKS}/Set14", _SET14_PIXELS, 4_500_000),
    ),
)

SETS: dict[str, PhotoSet] = {photo_set.name: photo_set for photo_set in _SETS}
"""The sets by name."""
