"""Restores every file of inputs.py by itself, and writes what came out: python table.py FOLDER MODEL > table.md

Each goes through a process of its own, whose peak memory and time are taken; then the whole folder of bad ones.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

HERE, MODEL = Path(sys.argv[1]), sys.argv[2]
ORDER = (
    "24mp.jpg rgb16.png gray16.png rgb16.tif gray16.tif rgba.png rgba.webp album/rgba.webp palette.png cmyk.jpg "
    "one_bit.png gray.jpg 1x1.png 5x3.png 13000x100.png"
).split()


def restored(source: Path, out: Path) -> tuple[subprocess.CompletedProcess, float, float]:
    """Returns the process, its peak memory in MiB, and its seconds."""
    command = [sys.executable, "-m", "pdloss", "restore", source, "--model", MODEL, "--out", out, "--device", "cpu"]
    began = time.monotonic()
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        os.dup2(write, 1), os.dup2(write, 2)
        os.execv(sys.executable, [str(part) for part in command])
    os.close(write)
    text = b"".join(iter(lambda: os.read(read, 65536), b"")).decode()
    _, status, used = os.wait4(child, 0)
    done = subprocess.CompletedProcess(command, os.waitstatus_to_exitcode(status), text)
    return done, used.ru_maxrss / 1024, time.monotonic() - began


def told(path: Path) -> str:
    """What a file holds, in a few words."""
    from pdloss.picture_files.originals import read_original

    with Image.open(path) as picture:
        form, icc, mode = picture.format, picture.info.get("icc_profile"), picture.mode
    held, _ = read_original(path)
    height, width = held.values.shape[:2]
    depth = "1 bit" if mode == "1" else "16 bit" if held.deep else "8 bit"
    words = [form, f"{width} x {height}", {"L": "gray", "I;16": "gray", "P": "palette", "1": "gray"}.get(mode, mode), depth]
    words += ["alpha"] if held.alpha is not None and mode != "RGBA" else []
    words += [f"profile of {len(icc)} bytes"] if icc else []
    exif = Image.Exif()
    exif.load(held.exif)
    if below := exif.get_ifd(0x8769):
        with Image.open(path) as picture:
            lies = picture.getexif().get(0x0112, 1)
        words.append(
            f"EXIF: orientation {lies}, {below.get(0xA002)} x {below.get(0xA003)}, "
            f"maker's notes of {len(below.get(0x927C, b''))} bytes, GPS {'kept' if exif.get_ifd(0x8825) else 'none'}"
        )
    return ", ".join(map(str, words))


print("| file | what it holds | what came out | said | peak memory, MiB | seconds |")
print("|---|---|---|---|---:|---:|")
for name in ORDER:
    source = HERE / "good" / name
    done, memory, seconds = restored(source, HERE / "out" / Path(name).stem)
    lines = done.stdout.splitlines()
    written = next((Path(line) for line in lines if line.startswith(str(HERE / "out"))), None)
    said = "; ".join(line.partition(": ")[2] for line in lines if line.startswith(f"{source.name}:"))
    came = told(written) if written else f"status {done.returncode}: {done.stdout}"
    print(f"| {name} | {told(source)} | {came} | {said} | {memory:.0f} | {seconds:.0f} |", flush=True)

done, memory, seconds = restored(HERE / "bad", HERE / "bad" / "restored")
print(f"\nThe folder of bad files, restored into a folder inside it: exit status {done.returncode}.\n")
print("```")
print(done.stdout.replace(str(HERE), "FOLDER").strip())
print("```")
