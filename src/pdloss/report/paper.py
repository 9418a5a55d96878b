"""The paper's own tables, as printed, with how sure each label is: the numbers that `--paper` puts beside ours.

Delbracio, Talebi, Milanfar: Projected Distribution Loss for Image Enhancement, 2021, https://arxiv.org/abs/2012.09289.
"""

from dataclasses import dataclass

CERTAINTY = {
    "printed": "printed in the paper",
    "inferred": "weight inferred from Table II",
    "guess": "weight guessed from the order of the rows",
    "lost": "weight not known",
}
"""What a row's weight is worth."""


@dataclass(frozen=True)
class PaperRow:
    """One row of a table of the paper."""

    loss: str
    weight: str
    """Empty where there is none."""
    certainty: str
    """Of the weight, a key of `CERTAINTY`; every score is printed in the paper."""
    scores: dict[str, float]


@dataclass(frozen=True)
class PaperTable:
    """One table of the paper."""

    number: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[PaperRow, ...]


LABELS = {"psnr": "PSNR", "ms_ssim": "MS-SSIM", "lpips": "LPIPS", "niqe": "NIQE", "fid": "FID"}

_ALL = ("psnr", "ms_ssim", "lpips", "niqe", "fid")
_THREE = ("psnr", "ms_ssim", "lpips")


def _rows(text: str, columns: tuple[str, ...]) -> tuple[PaperRow, ...]:
    """Reads lines of loss, weight, certainty and scores; a dash is an empty cell."""
    rows = []
    for line in text.strip().splitlines():
        loss, weight, certainty, *values = line.split()
        scores = {key: float(value) for key, value in zip(columns, values, strict=True) if value != "-"}
        rows.append(PaperRow(loss, "" if weight == "-" else weight, certainty, scores))
    return tuple(rows)


_II = """
reference      -     printed -     -     -     3.166  -
input          -     printed 10.49 0.416 1.289 23.171 260.61
no-perceptual  -     printed 27.14 0.906 0.311 3.766  84.33
L1             0.001 printed 27.07 0.904 0.279 3.539  61.11
L1             0.005 printed 26.92 0.900 0.264 4.414  59.18
L1             0.010 printed 26.81 0.896 0.268 4.456  59.89
L1             0.100 printed 25.90 0.877 0.261 4.570  60.98
L1             0.150 printed 25.50 0.871 0.270 4.799  62.57
L2             0.001 printed 27.02 0.905 0.283 3.639  69.38
L2             0.010 printed 26.72 0.895 0.296 3.964  64.74
L2             0.050 printed 26.30 0.884 0.308 5.381  72.55
CTXDP          0.010 printed 26.91 0.902 0.252 3.402  59.28
CTXDP          0.100 printed 26.57 0.896 0.241 3.490  58.82
CTXDP          0.500 printed 26.34 0.894 0.249 3.480  60.98
CTXL2          0.010 printed 26.85 0.901 0.246 3.510  61.60
CTXL2          0.100 printed 26.44 0.896 0.239 3.740  57.92
CTXL2          0.500 printed 25.98 0.891 0.244 3.404  56.32
PDL            0.001 printed 27.10 0.906 0.250 3.226  57.47
PDL            0.005 printed 26.74 0.899 0.243 3.291  55.26
PDL            0.010 printed 26.62 0.898 0.233 3.398  54.51
PDL            0.015 printed 26.48 0.895 0.238 3.275  54.95
PDL            0.020 printed 26.36 0.893 0.239 3.483  58.12
"""
_IV = """
reference      -     printed -     -     -     3.166  -
no-perceptual  -     printed 28.76 0.966 0.274 4.762  25.30
L1             -     lost    28.23 0.961 0.161 4.914  16.37
CTXDP          -     lost    28.53 0.964 0.188 4.340  18.40
CTXL2          -     lost    28.40 0.963 0.173 4.169  17.92
SRGAN          -     printed 26.21 0.941 0.150 2.975  18.05
PDL            0.005 guess   28.21 0.961 0.169 3.892  18.15
PDL            0.010 guess   27.81 0.957 0.145 3.989  16.66
"""
_VI = """
reference      -     printed -     -     -     3.166  -
input          -     printed 27.07 0.899 0.328 7.482  45.96
no-perceptual  -     printed 32.57 0.969 0.161 4.009  22.99
L1             -     lost    33.07 0.973 0.126 3.768  14.29
CTXDP          -     lost    32.11 0.965 0.117 3.666  15.60
CTXL2          -     lost    32.79 0.971 0.095 3.635  12.71
PDL            0.001 guess   33.01 0.974 0.112 3.546  13.76
PDL            0.005 guess   32.53 0.969 0.092 3.476  11.76
PDL            0.010 guess   31.97 0.964 0.093 3.572  13.36
"""
_VII = """
reference      -     printed -     -     -     3.166  -
input          -     printed 29.54 0.953 0.208 4.267  28.24
no-perceptual  -     printed 31.77 0.974 0.176 3.892  24.05
L1             -     lost    31.70 0.973 0.144 3.622  17.94
L2             -     lost    31.50 0.972 0.138 3.633  17.76
CTXDP          -     lost    31.48 0.972 0.113 3.812  16.20
CTXL2          -     lost    31.39 0.971 0.105 4.006  16.08
PDL            0.001 guess   31.63 0.973 0.135 3.687  16.40
PDL            0.005 guess   31.24 0.970 0.106 3.848  14.55
PDL            0.010 guess   31.07 0.969 0.103 3.991  15.03
"""
_VIII = """
PDL-identity   0.001 inferred 27.10 0.906 0.250
PDL-identity   0.005 inferred 26.74 0.899 0.243
PDL-identity   0.010 inferred 26.62 0.898 0.233
PDL-identity   0.020 inferred 26.36 0.893 0.239
PDL-pairs      -     lost     26.99 0.903 0.255
PDL-pairs      -     lost     26.67 0.898 0.243
PDL-pairs      -     lost     26.45 0.895 0.239
PDL-pairs      -     lost     25.89 0.885 0.245
PDL-perturbed  -     lost     26.80 0.901 0.248
PDL-perturbed  -     lost     26.80 0.900 0.248
PDL-perturbed  -     lost     26.41 0.894 0.245
PDL-sphere     -     lost     26.50 0.892 0.243
PDL-sphere     -     lost     26.98 0.904 0.249
PDL-sphere     -     lost     26.47 0.894 0.247
PDL-sphere     -     lost     25.75 0.880 0.250
"""

_TABLES = {
    "denoise": (
        PaperTable("II", "denoising", _ALL, _rows(_II, _ALL)),
        PaperTable("VIII", "denoising, by kind of projection", _THREE, _rows(_VIII, _THREE)),
    ),
    "sr": (PaperTable("IV", "super-resolution", _ALL, _rows(_IV, _ALL)),),
    "deblur": (PaperTable("VI", "deblurring", _ALL, _rows(_VI, _ALL)),),
    "jpeg": (PaperTable("VII", "removal of JPEG artifacts", _ALL, _rows(_VII, _ALL)),),
}


PREFERENCES = {
    "III": (
        ("no-perceptual", "L1", "CTXDP", "CTXL2", "PDL"),
        ((0, 0.43, 0.31, 0.29, 0.23), (0.57, 0, 0.40, 0.38, 0.26), (0.69, 0.60, 0, 0.47, 0.39),
         (0.71, 0.62, 0.53, 0, 0.43), (0.77, 0.74, 0.61, 0.57, 0)),
    ),
    "V": (
        ("no-perceptual", "L1", "CTXDP", "CTXL2", "SRGAN", "PDL"),
        ((0, 0.43, 0.31, 0.30, 0.28, 0.24), (0.57, 0, 0.41, 0.42, 0.37, 0.34), (0.69, 0.59, 0, 0.47, 0.41, 0.38),
         (0.70, 0.58, 0.53, 0, 0.42, 0.39), (0.72, 0.63, 0.59, 0.58, 0, 0.50), (0.76, 0.66, 0.62, 0.61, 0.50, 0)),
    ),
}  # fmt: skip
"""The tables of preferences as printed: the methods, and the share that chose the row's over the column's."""

ANSWERS = 500
"""To each pair of methods, in both tables."""


def paper_tables(task: str) -> tuple[PaperTable, ...]:
    """Returns the paper's tables of a task; there is none of numbers for demosaicing, nor for tasks of one's own.

    Example:
        >>> [table.number for table in paper_tables("denoise")]
        ['II', 'VIII']
    """
    return _TABLES.get(task, ())
