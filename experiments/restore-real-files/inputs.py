"""Makes the files that people really have, out of photographs of PDLOSS_IMAGES: python inputs.py FOLDER"""

import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image, ImageCms

HERE = Path(sys.argv[1])
KODAK = Path(os.environ["PDLOSS_IMAGES"]) / "valid" / "kodak24"
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def adobe_profile() -> bytes:
    """A profile with the primaries and the gamma of Adobe RGB (1998)."""
    fixed = lambda *values: struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
    name = b"Adobe RGB (1998), made here\0"
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(78)}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)
    for letter, primary in zip((b"r", b"g", b"b"), ADOBE):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(*primary)
        tags[letter + b"TRC"] = b"curv\0\0\0\0" + struct.pack(">IH", 1, 563)
    at, table, data = 132 + 12 * len(tags), b"", b""
    for tag, value in tags.items():
        table += struct.pack(">4sII", tag, at + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(data), b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ", bytes(12), b"acsp")
    return head + bytes(28) + fixed(0.9642, 1, 0.8249) + bytes(48) + struct.pack(">I", len(tags)) + table + data


def photo(number: int, size: tuple[int, int] | None = None) -> Image.Image:
    picture = Image.open(KODAK / f"kodim{number:02d}.png").convert("RGB")
    return picture.resize(size, Image.Resampling.BICUBIC) if size else picture


def deep(picture: Image.Image) -> np.ndarray:
    """16-bit values that are no multiples of 8-bit ones."""
    values = np.asarray(picture).astype(np.float64) / 255
    noise = np.random.default_rng(0).normal(0, 0.004, values.shape)
    return np.floor(np.clip(values + noise, 0, 1) * 65535 + 0.5).astype(np.uint16)


def png16(path: Path, values: np.ndarray) -> None:
    from pdloss.picture_files.originals import Original
    from pdloss.picture_files.writing import write_picture

    write_picture(path, Original(values), "png")


good, bad = HERE / "good", HERE / "bad"
for folder in (good / "album", bad):
    folder.mkdir(parents=True, exist_ok=True)

exif = Image.Exif()
exif[0x0112], exif[0x010F], exif[0x0110] = 6, "Maker", "Model 5"
exif.get_ifd(0x8769).update({0x829A: 0.008, 0xA002: 6000, 0xA003: 4000, 0x927C: b"notes of the maker" * 20})
exif.get_ifd(0x8825).update({1: "N", 2: (50.0, 4.0, 1.5), 3: "E", 4: (8.0, 14.0, 0.0)})
photo(3, (6000, 4000)).save(good / "24mp.jpg", quality=92, exif=exif, icc_profile=adobe_profile(), dpi=(300, 300))

small = photo(15, (384, 256))
png16(good / "rgb16.png", deep(small))
Image.fromarray(deep(small.convert("L"))).save(good / "gray16.png")
tifffile.imwrite(good / "rgb16.tif", deep(small), photometric="rgb", compression="zlib")
tifffile.imwrite(good / "gray16.tif", deep(small.convert("L")))
alpha = Image.fromarray((np.add.outer(np.arange(256), np.arange(384)) % 256).astype(np.uint8))
clear = small.copy()
clear.putalpha(alpha)
clear.save(good / "rgba.png")
clear.save(good / "rgba.webp", lossless=True, exact=True)
clear.save(good / "album" / "rgba.webp", quality=80)
few = small.quantize(64)
few.save(good / "palette.png", transparency=3)
small.convert("CMYK").save(good / "cmyk.jpg", quality=95)
small.convert("1").save(good / "one_bit.png")
small.convert("L").save(good / "gray.jpg", quality=95)
photo(1, (1, 1)).save(good / "1x1.png")
photo(1, (5, 3)).save(good / "5x3.png")
photo(1, (13000, 100)).save(good / "13000x100.png")

small.save(bad / "sound.png")
data = (bad / "sound.png").read_bytes()
file = io.BytesIO()
small.save(file, "JPEG")
for name, content in {
    ".DS_Store": b"\0\0\0\1Bud1" + bytes(100),
    "Thumbs.db": b"\xd0\xcf\x11\xe0" + bytes(100),
    "._photo.jpg": b"\0\5\x16\7" + bytes(100),
    "zero_bytes.jpg": b"",
    "really_jpeg.png": file.getvalue(),
    "truncated.png": data[: len(data) // 2],
    "truncated.jpg": file.getvalue()[: len(file.getvalue()) // 2],
    "phone.HEIC": b"\0\0\0\x18ftypheic" + bytes(100),
    "camera.NEF": b"MM\0*" + bytes(100),
    "text.jpg": b"this is no picture",
}.items():
    (bad / name).write_bytes(content)
small.save(bad / "animated.webp", save_all=True, append_images=[small.rotate(90, expand=False)])
small.save(bad / "pages.tif", save_all=True, append_images=[small])
