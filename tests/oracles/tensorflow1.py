"""TensorFlow 1's operations and the published graphs of SRN and DsDeblur, in NumPy; images as (B, H, W, C).

Written from the authors' descriptions of their graphs, under the variables' names of their code.
"""

import numpy as np

Array = np.ndarray
Variables = dict[str, Array]


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """How many zeros SAME puts before and after: as few as make ceil(size / stride) outputs, the odd one after."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def conv2d(x: Array, kernel: Array, bias: Array, stride: int = 1) -> Array:
    """Convolution with SAME padding; the kernel is (height, width, in, out)."""
    side = kernel.shape[0]
    _, h, w, _ = x.shape
    x = np.pad(x, ((0, 0), same_padding(h, side, stride), same_padding(w, side, stride), (0, 0)))
    h, w = -(-h // stride), -(-w // stride)
    total = 0
    for i in range(side):
        for j in range(side):
            total = total + x[:, i : i + stride * h : stride, j : j + stride * w : stride][:, :h, :w] @ kernel[i, j]
    return total + bias


def conv2d_transpose(x: Array, kernel: Array, bias: Array) -> Array:
    """The transpose of the stride-2 SAME convolution, pixel by pixel; the kernel is (height, width, out, in)."""
    side = kernel.shape[0]
    b, h, w, _ = x.shape
    before, after = same_padding(2 * h, side, 2)
    spread = np.zeros((b, 2 * h + before + after, 2 * w + before + after, kernel.shape[2]))
    for i in range(h):
        for j in range(w):
            spread[:, 2 * i : 2 * i + side, 2 * j : 2 * j + side] += np.einsum("bc,ijoc->bijo", x[:, i, j], kernel)
    return spread[:, before : before + 2 * h, before : before + 2 * w] + bias


def resize_bilinear(x: Array, height: int, width: int) -> Array:
    """Bilinear resizing with corners at whole numbers, not aligned: pixel i of n reads at i * size / n."""
    out = np.zeros((x.shape[0], height, width, x.shape[3]))
    for i in range(height):
        for j in range(width):
            y, z = i * x.shape[1] / height, j * x.shape[2] / width
            top, left = int(y), int(z)
            bottom, right = min(top + 1, x.shape[1] - 1), min(left + 1, x.shape[2] - 1)
            dy, dx = y - top, z - left
            above = x[:, top, left] * (1 - dx) + x[:, top, right] * dx
            below = x[:, bottom, left] * (1 - dx) + x[:, bottom, right] * dx
            out[:, i, j] = above * (1 - dy) + below * dy
    return out


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


class _Layers:
    """slim's layers over given variables; each is looked up by its scope."""

    def __init__(self, variables: Variables) -> None:
        self.variables = variables

    def of(self, scope: str) -> tuple[Array, Array]:
        return self.variables[f"g_net/{scope}/weights"], self.variables[f"g_net/{scope}/biases"]

    def conv(self, x: Array, scope: str, stride: int = 1) -> Array:
        return relu(conv2d(x, *self.of(scope), stride))

    def linear(self, x: Array, scope: str) -> Array:
        return conv2d(x, *self.of(scope))

    def up(self, x: Array, scope: str) -> Array:
        return relu(conv2d_transpose(x, *self.of(scope)))

    def pair(self, x: Array, scope: str) -> Array:
        return self.linear(self.conv(x, f"{scope}/conv1"), f"{scope}/conv2")

    def dense(self, x: Array, scope: str) -> Array:
        n1 = self.pair(x, f"{scope}/d1")
        n2 = self.pair(x + n1, f"{scope}/d2")
        n3 = self.pair(x + n1 + n2, f"{scope}/d3")
        n4 = self.pair(x + n1 + n2 + n3, f"{scope}/d4")
        return x + n1 + n2 + n3 + n4


def srn(inputs: Array, variables: Variables) -> list[Array]:
    """The three outputs of SRN, coarse to fine, for sizes that are multiples of 16."""
    net = _Layers(variables)
    _, h, w, _ = inputs.shape
    lstm = "g_net/convLSTM/LSTM_conv/weights" in variables
    features = variables["g_net/enc3_1/biases"].size
    state = np.zeros((len(inputs), h // 4, w // 4, 2 * features))
    predicted, outputs = inputs, []
    for scale in (4, 2, 1):
        hi, wi = h // scale, w // scale
        blurred = resize_bilinear(inputs, hi, wi)
        x = np.concatenate([blurred, resize_bilinear(predicted, hi, wi)], 3)
        e1 = net.conv(x, "enc1_1")
        for k in (2, 3, 4):
            e1 = e1 + net.pair(e1, f"enc1_{k}")
        e2 = net.conv(e1, "enc2_1", 2)
        for k in (2, 3, 4):
            e2 = e2 + net.pair(e2, f"enc2_{k}")
        x = net.conv(e2, "enc3_1", 2)
        for k in (2, 3, 4):
            x = x + net.pair(x, f"enc3_{k}")
        if lstm:
            cell, hidden = np.split(resize_bilinear(state, hi // 4, wi // 4), 2, 3)
            i, j, f, o = np.split(net.linear(np.concatenate([x, hidden], 3), "convLSTM/LSTM_conv"), 4, 3)
            cell = cell * sigmoid(f + 1) + sigmoid(i) * np.tanh(j)
            x = np.tanh(cell) * sigmoid(o)
            state = np.concatenate([cell, x], 3)
        for k in (3, 2, 1):
            x = x + net.pair(x, f"dec3_{k}")
        x = net.up(x, "dec2_4") + e2
        for k in (3, 2, 1):
            x = x + net.pair(x, f"dec2_{k}")
        x = net.up(x, "dec1_4") + e1
        for k in (3, 2, 1):
            x = x + net.pair(x, f"dec1_{k}")
        predicted = net.linear(x, "dec1_0")
        outputs.append(predicted)
    return outputs


def dsdeblur(inputs: Array, variables: Variables) -> list[Array]:
    """The three outputs of DsDeblur, coarse to fine, for sizes that are multiples of 16."""
    net = _Layers(variables)
    _, h, w, _ = inputs.shape
    predicted, outputs = inputs, []
    for number, scale in enumerate((4, 2, 1)):
        hi, wi = h // scale, w // scale
        blurred = resize_bilinear(inputs, hi, wi)
        x = np.concatenate([blurred, resize_bilinear(predicted, hi, wi)], 3)
        e1 = net.dense(net.dense(net.conv(x, f"enc1_1_{number}"), "enc1_2"), "enc1_2")
        e2 = net.dense(net.dense(net.conv(e1, f"enc2_1_{number}", 2), "enc2_2"), "enc2_2")
        e3 = net.dense(net.dense(net.conv(e2, f"enc3_1_{number}", 2), "enc3_2"), "enc3_2")
        d2 = net.up(net.dense(net.dense(e3, "dec3_2"), "dec3_2"), f"dec2_3_{number}") + e2
        d1 = net.up(net.dense(net.dense(d2, "dec2_2"), "dec2_2"), f"dec1_3_{number}") + e1
        x = net.dense(net.dense(d1, "dec1_2"), "dec1_2")
        predicted = net.linear(x, f"dec1_0_{number}") + blurred
        outputs.append(predicted)
    return outputs


def srn_shapes(width: int = 32, channels: int = 3, lstm: bool = False) -> dict[str, tuple[int, ...]]:
    """The kernels' shapes by scope."""
    c1, c2, c3 = width, 2 * width, 4 * width
    shapes = {"enc1_1": (5, 5, 2 * channels, c1), "enc2_1": (5, 5, c1, c2), "enc3_1": (5, 5, c2, c3)}
    shapes |= {"dec2_4": (4, 4, c2, c3), "dec1_4": (4, 4, c1, c2), "dec1_0": (5, 5, c1, channels)}
    for level, c in ((1, c1), (2, c2), (3, c3)):
        blocks = [f"enc{level}_{k}" for k in (2, 3, 4)] + [f"dec{level}_{k}" for k in (1, 2, 3)]
        shapes |= {f"{block}/conv{n}": (5, 5, c, c) for block in blocks for n in (1, 2)}
    return shapes | ({"convLSTM/LSTM_conv": (3, 3, 2 * c3, 4 * c3)} if lstm else {})


def dsdeblur_shapes(width: int = 32, channels: int = 1) -> dict[str, tuple[int, ...]]:
    """The kernels' shapes by scope."""
    c1, c2, c3 = width, 2 * width, 4 * width
    shapes: dict[str, tuple[int, ...]] = {}
    for i in range(3):
        shapes |= {f"enc1_1_{i}": (3, 3, 2 * channels, c1), f"enc2_1_{i}": (3, 3, c1, c2)}
        shapes |= {f"enc3_1_{i}": (3, 3, c2, c3), f"dec2_3_{i}": (4, 4, c2, c3), f"dec1_3_{i}": (4, 4, c1, c2)}
        shapes |= {f"dec1_0_{i}": (3, 3, c1, channels)}
    for level, c in ((1, c1), (2, c2), (3, c3)):
        for side in ("enc", "dec"):
            shapes |= {f"{side}{level}_2/d{k}/conv{n}": (3, 3, c, c) for k in (1, 2, 3, 4) for n in (1, 2)}
    return shapes


def random_variables(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> Variables:
    """Values under the variables' names, of a size that keeps activations near one; biases are not zero."""
    random = np.random.default_rng(seed)
    variables: Variables = {}
    for scope, shape in shapes.items():
        transposed = scope.startswith(("dec1_4", "dec2_4", "dec1_3_", "dec2_3_"))
        h, w, a, b = shape
        inputs, outputs = (b, a) if transposed else (a, b)
        kernel = random.normal(size=shape, scale=0.5 / np.sqrt(h * w * inputs))
        variables[f"g_net/{scope}/weights"] = kernel.astype(np.float32)
        variables[f"g_net/{scope}/biases"] = random.normal(size=outputs, scale=0.1).astype(np.float32)
    return variables
