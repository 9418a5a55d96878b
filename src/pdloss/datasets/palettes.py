"""Colours for drawn pictures: those of photographs, any colour, or those of an image."""

import base64
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from pdloss.images import read_pixels

_SPREAD_GRAY, _SPREAD_COLOUR = 0.06, 0.02
"""How far colours lie from the natural palettes' own: along gray, and in each channel."""

# 64 palettes of 8 colours, read off 399 photographs (the train and test parts of BSDS500). The photographs were halved
# six times, at the median of what varies most among mean gray, two colour differences and contrast; of each group, the
# one nearest to the group's mean was taken. Its pixels were halved three times, at the median of what varies most among
# gray and the colour differences; each eighth gave one pixel, drawn at random.
_PALETTES = (
    "VI2hZqXIbaXIc6zAQXOKACYocqW68f/tF4/MLZPRWKzbbLPdAgkRf6vIBwkIP1M4AVaXB2idAEqLB0h+QlNDhpt6aVRBi1FFdqrcbprLKUBGz+n4DC"
    "knMENJRVJacoCJXIKXYoida4+fcpOcJTElLzkwe5SYhoiUapLXiKjjDhkLJzkjLzcgM0wSzbq+SGspgpGokqm5laq7y+L0UF1miJynZVpURzkuN1lj"
    "N2BkOWFhOTwzWX2Jn6OU7v/+////AAoUFDEVNDQsL0MnR1hObIqSdYN0TkguCjBDHjpIS1lZZnFtVlxSamNZeHFfgHlvCwwOVUM5eoSQf3dggIiTh4"
    "+ahIuVh46WXaXfS4q1IywbYFxDZmFDfnxVkI9jno1hDy9WKkNsGBcTu7e2GRsQQ0Q2sqqo2dLKMEA9QUZAIkEiTIE7cIORYHV6mam4wdLmECkwgJSV"
    "LTMxeCk8psTEuNLTmbOy3ODfUYGvZo+rbn+H5///maOAoJhq///////9MUBDMz0yJCwhKTIhJigaIyQUPDkmiHVXDRUAOz4zJhoES0ATZ2xyd3t+Vk"
    "kpbmtcKi8yRkY+T2xyT19eKCQYaV4+o5mAvbaZPV2MDR8PKDkP///sX102am1Oe3xS+/3OYGZmW2lQrLrXcnVscnpjjo52joB1mJJ8UHeYYYipaoyo"
    "Dg0LUjQ0Pz4SqYhb0LKAQ2eBbI2gXmlYdZOeYWZSf2o/nI1knYVVnLrgQFE/fIhiaYFRnJF1q6OQhJJhT2w0MEdPABITVGp4rd3/GSoGLzMcICsBb3"
    "pQBypARHKBCQ0MFRoWEQ0MSU0qQTsL/9N2LERgOlVwRGB2V3V9XVtCamZB2Mqjy76RDRUIhqCfi6KcpLamDxgHKTIV8vbV/vy/LSohPDQnSEU0joJY"
    "p6u0xMfWsLCwo6KdIigkPDU8OD02PkQ2jpur/v7+19jStKiSS11pISIdeJWTeodzNiwgfH5Nusil7+28eP7/t//+P0s3aGxbam9Yg4lnqaOTtZl0CB"
    "ADGhsJKSYVSDo3MiYWQEEhVDkobzktEhoLTUhCTk0xS0AiYVpQcFg8f3Bdo4BkNzE/GxwXHRYMi4F3RDYpuK+gRwkKy0NNDg4GGhgMOjcmOS4YY3Fa"
    "bHpj///lgXpMMzcgJioPKzsXMjwXOkMYPk0kVmotq5ZnHyUJMTgZKzENKDALR0o37OKxV3MpXnkoFSgSUFxSgYx+hY14UU4lZmQ7gXVFvqJYCQ4HCg"
    "4AKCsAS1MgY2ExXmQoe41lr6ZhPkhAUFJFYmpbuq2cdmtVp4NrrpB41qOOgXx5xLCvUHlBVoZSdlZLt6CSf1pIsT1AP2tqQGllRldFi6qKdIVlxuaj"
    "q49QpYJCR1hIdINidHtcXEAyk6F+tdWMmZtq7+6tICY8NioeRDMfUj4Zu7Ca///zemZFlXhMKS0eSU43WlpAZGBDmJl3wsWa7/C3/vu4LDErOj02PD"
    "gsd3ZhlYh4//7/yqCH68u2FBYRsLev2NDD+/jxlpJ34t29zWVixsGbDgsGJTgKY2tCiKVvLyYFNCsCdWxNqJFoX09Ch3dnoXxspINyr45/sZCJsYx5"
    "wJeDQEc1SkkrUV1FdnZUY1k1dWc2jYRblX1NQkY1KjcCMDoINEMAV1pPWWIhXG8WcX8eGw4ASUIyUEQsW00ybFpGb1lCopdp57+BS3mts9fNLR4JfG"
    "hHQR8DY0sd/9R4/884KSwZIw4JUSwRjlE1s66QqZ9uyMCbxraFkJqcqaugnKmy9OfEYlYiaV8kfHI1jIFBS0MuUUcuZFg+inZTloBbp4tZtZVa2LZu"
    "EBYUGRcKcGxgpZuCXisQgnNMp4E2nG8KLi0OdGY5aWouen8tgnBK++ikhptQ7uyfFxkMOkQfS0YwZJh0TT0k/f/HbHQHiIgWDwwAVjoihmtOb1YtjW"
    "VBnHNFtI1UvpdWBgsFPjMVf2sunpRWlHkykHguyr1voIo+HxgIMRcKZlg+pZR2oI1tgmYc/+Jg5cIwKBYCZFU+dEYSzqB/d0gQllwc/8KT/8l8"
)


def palette_colours(palette: str, count: int, generator: torch.Generator) -> Float[Tensor, "count 3"]:
    """Returns colours for the leaves of one picture, RGB in [0, 1]; `palette` is that of `DeadLeaves`.

    Raises:
        ImageError: If the palette's image cannot be read.
    """
    if palette == "uniform":
        return torch.rand(count, 3, generator=generator)
    if palette != "natural":
        pixels = _pixels(palette)
        return pixels[torch.randint(len(pixels), (count,), generator=generator)] / 255
    table = torch.frombuffer(bytearray(base64.b64decode(_PALETTES)), dtype=torch.uint8).view(-1, 8, 3)
    colours = table[int(torch.randint(len(table), (), generator=generator))] / 255
    drawn = colours[torch.randint(8, (count,), generator=generator)]
    gray, other = (torch.randn(count, channels, generator=generator) for channels in (1, 3))
    return (drawn + _SPREAD_GRAY * gray + _SPREAD_COLOUR * other).clamp(0, 1)


@lru_cache(maxsize=1)
def _pixels(path: str) -> Tensor:
    return read_pixels(Path(path)).pixels.flatten(1).T
