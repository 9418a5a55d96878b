"""Prints the committed scores of an experiment as a Markdown table.

    python experiments/table.py experiments/every-loss [psnr lpips]

One row a run: its loss, the means of its scores, training steps and steps a second, as far as they are there.
"""

import sys
from pathlib import Path

from pdloss.records import RunRecord, Scores, mean_scores, read_log, read_record

folder, names = Path(sys.argv[1]), sys.argv[2:] or ["psnr", "lpips"]
print("| run | loss | " + " | ".join(names) + " | steps/s |")
print("|---|---|" + "---:|" * (len(names) + 1))
rows = []
for run in sorted(path.parent for path in folder.glob("*/config.json")):
    record, log = read_record(run / "config.json", RunRecord), read_log(run / "log.jsonl")
    means = mean_scores([image.restored for image in read_record(run / "kodak24.json", Scores).images])
    speed = (log[-1].step - log[0].step) / (log[-1].seconds - log[0].seconds)
    cells = [f"{means[name]:.2f}" if means[name] > 2 else f"{means[name]:.4f}" for name in names]
    rows.append((means[names[-1]], f"| {run.name} | `{record.loss}` | " + " | ".join(cells) + f" | {speed:.2f} |"))
print("\n".join(row for _, row in sorted(rows)))
