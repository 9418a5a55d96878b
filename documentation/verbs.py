"""Which parts of a verb have a help of their own."""

SUBVERBS = {
    "study": ("design", "serve", "simulate", "analyse"),
    "figure": ("crops", "framework"),
    "niqe": ("fit",),
    "data": ("get",),
    "assets": ("get", "import"),
    "models": ("card", "evaluate", "pack", "push"),
}
