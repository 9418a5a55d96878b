"""How ``pdloss train`` shows a training."""

import statistics

from pdloss.commands.progress import Bar
from pdloss.losses import LossTerms
from pdloss.records import LogLine, RunRecord
from pdloss.runs.states import State
from pdloss.training.configuration import TrainConfig
from pdloss.training.data import TrainingPhotographs
from pdloss.training.watching import Watcher


class Display(Watcher):
    """Shows a training as a bar with steps per second, the loss terms and the time left."""

    def __init__(self, config: TrainConfig, bar: Bar) -> None:
        self.config, self.bar = config, bar
        self.waiting: list[float] = []

    def loading(self, done: int, total: int) -> None:
        """Shows the images read."""
        self.bar.update(done, total)

    def warn(self, text: str) -> None:
        """Says what may make the results wrong."""
        self.bar.say(f"warning: {text}")

    def note(self, text: str) -> None:
        """Says what is worth knowing."""
        self.bar.say(text)

    def start(self, record: RunRecord, state: State, photographs: TrainingPhotographs, why: str) -> None:
        """Says what is trained and on what."""
        self.bar.say(f"{record.network}, {record.parameters:,} parameters, {record.precision} on {record.device}")
        self.bar.say(f"minimises {record.loss}")
        how = (
            f"beside their degraded ones in {record.degraded}"
            if record.degraded
            else f"degraded by {record.degradation}, {why}"
        )
        self.bar.say(f"{record.images} photographs in {record.data}, {how}")
        for name, said in record.weights.items():
            self.bar.say(f"features from {name}: {said}")
        for note in [*photographs.notes, *(f"{name} left out: {why}" for name, why in photographs.skipped.items())]:
            self.bar.say(note)
        if state.step:
            self.bar.say(f"goes on after step {state.step}")
        self.bar.begin("training", state.step, record.steps)

    def step(self, step: int, terms: LossTerms) -> None:
        """Moves the bar."""
        self.bar.update(
            step, self.config.steps, lambda: "  ".join(f"{k} {v.item():.4g}" for k, v in terms.values.items())
        )

    def log(self, line: LogLine) -> None:
        """Says what was measured."""
        self.waiting.append(line.waiting)
        for name, value in line.valid.items():
            self.bar.say(f"step {line.step}: {name} {value:.2f} on {self.config.valid}")

    def advice(self) -> str:
        """Returns what to say of time lost waiting for data; nothing if it was a tenth or less."""
        share = statistics.fmean(self.waiting or [0])
        more = "try more --workers" if self.config.workers else "--workers 2 would do that beside the training"
        return f"{share:.0%} of the time was spent preparing or waiting for data: {more}" if share > 0.1 else ""
