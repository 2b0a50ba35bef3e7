"""Words and signs of other languages and frameworks, and their counterparts in Volr."""

from __future__ import annotations

import difflib

from volr.language.layers import LAYERS

COMMENTS = {
    "#": "\n",
    "--": "\n",
    "%": "\n",
    ";": "\n",
    "!": "\n",
    "\\": "\n",
    "'": "\n",
    "(*": "*)",
    "{-": "-}",
    "<!--": "-->",
    '"""': '"""',
    "'''": "'''",
    '"': '"',
    "“": "”",
}
"""How other languages begin a comment, or a text that says no more, and how they end it."""

KEYWORDS = {
    "let": ("var", "val", "def", "const", "auto", "define", "set", "letrec", "where", "with"),
    "in": ("then", "and", "end", "do", "begin", "is", ";", ",", ":"),
    "=": (":=", "==", "<-", ":", "is", "be", "as", "≔"),
    "⦶": (">", "->", "=>", ">>>", "|>", ";", ".", "@", "to", "then", "and"),
    "⊖": ("||", "&", "&&", "beside", "and", "or", ","),
}
"""Words and signs of other languages by the word of Volr that they may stand for."""

_ACTIVATIONS = [
    "relu",
    "relu6",
    "leakyrelu",
    "prelu",
    "elu",
    "selu",
    "gelu",
    "celu",
    "silu",
    "swish",
    "mish",
    "sigmoid",
    "hardsigmoid",
    "logsigmoid",
    "tanh",
    "hardtanh",
    "softmax",
    "logsoftmax",
    "softmin",
    "softplus",
    "softsign",
    "softshrink",
    "hardswish",
    "activation",
    "linearactivation",
    "heaviside",
    "step",
    "sin",
    "glu",
    "maxout",
    "logistic",
]
_CALLED = {
    "dense": (
        *("linear", "fc", "fullyconnected", "affine", "innerproduct", "matmul", "gemm", "mlp"),
        *("perceptron", "layer"),
    ),
    "conv": ("conv1d", "conv2d", "convolution", "convolution1d", "convolution2d", "convolve"),
    "avgpool": (
        *("avgpool1d", "avgpool2d", "averagepool", "averagepooling", "averagepooling1d"),
        *("averagepooling2d", "meanpool", "pool"),
    ),
    "maxpool": ("maxpool1d", "maxpool2d", "maxpooling", "maxpooling1d", "maxpooling2d"),
    "id": ("identity", "skip", "residual", "shortcut"),
}
"""Other names of the layers."""


_PARAMETERS = {
    "inputs": ("in_features", "in_channels", "input_size", "input_shape", "n_in"),
    "outputs": ("out_features", "units", "output_size", "hidden_size", "n_out"),
    "channels": ("out_channels", "filters", "out_planes", "num_filters"),
    "window": ("kernel_size", "kernel", "kernel_shape", "pool_size", "window_shape", "size"),
    "stride": ("strides",),
    "pad": ("padding", "pads"),
    "groups": ("group", "feature_group_count"),
}
"""Other names of the arguments of layers."""


_INSTEAD = {
    "leave it out: `dense` takes any shape": ("flatten", "reshape", "view", "unflatten"),
    "leave it out; it is an option of training: `volr train --dropout`": (
        *("dropout", "dropout1d", "dropout2d", "alphadropout"),
    ),
    "leave it out; it is an option of training: `volr train --normalise batch`": (
        *("batchnorm", "batchnorm1d", "batchnorm2d", "batchnormalization", "normalize"),
    ),
    "write `⦶` between networks, one after the other": ("sequential", "compose", "chain"),
    "write `⊖` between networks, side by side": ("cat", "concat", "concatenate", "parallel"),
    "write `↺`: a recurrent layer is `dense n m ↺ dense m m`": ("rnn", "rnncell", "simplernn"),
}
"""What to do in the place of other parts of frameworks, which are no layers here."""


def instead_of(word: str) -> str | None:
    """What to do in the place of a part of a framework that the language has no layer for."""
    bare = _bare(word)
    return next((help for help, called in _INSTEAD.items() if bare in called), None)


def parameter_meant(word: str) -> str:
    """The argument of a layer that has this name in another framework, or the word itself."""
    return next((name for name, called in _PARAMETERS.items() if word in called), word)


def is_activation(word: str) -> bool:
    """Whether this is the name of an activation function in other frameworks."""
    return _bare(word) in _ACTIVATIONS


def layer_meant(word: str) -> str | None:
    """The layer that a word may mean, misspelled or in a framework's spelling."""
    if (called := layer_called(word)) is not None:
        return called
    close = difflib.get_close_matches(_bare(word)[:40], LAYERS, n=1)
    return close[0] if close else None


def layer_called(word: str) -> str | None:
    """The layer that has this name in another framework."""
    bare = _bare(word)
    return next((name for name, called in _CALLED.items() if bare in (name, *called)), None)


def keyword_meant(text: str, keyword: str) -> bool:
    """Whether a word or a sign may stand for a word of the language."""
    if text in KEYWORDS.get(keyword, ()):
        return True
    if not keyword.isalpha() or abs(len(text) - len(keyword)) > 2:
        return False
    lower = text.lower()
    return lower == keyword or _one_slip(lower, keyword)


def _bare(word: str) -> str:
    """``nn.Leaky_ReLU`` as ``leakyrelu``."""
    return word.rsplit(".", 1)[-1].replace("_", "").lower()


def _one_slip(text: str, word: str) -> bool:
    """Whether the words differ by one letter, or by two letters that changed places."""
    if len(text) == len(word):
        wrong = [i for i, (a, b) in enumerate(zip(text, word, strict=True)) if a != b]
        swapped = len(wrong) == 2 and sorted(text) == sorted(word)
        return len(wrong) == 1 or swapped
    longer, shorter = (text, word) if len(text) > len(word) else (word, text)
    return len(longer) == len(shorter) + 1 and any(
        longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer))
    )
