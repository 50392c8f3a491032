"""Train the adapter: `python -m training.train`. Goes on where it was ended; the same seed gives the same weights."""

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from loresmith.embedded.model import find_model_file
from training.chat import Sequence, encode
from training.examples import find_examples

LINEAR: Final = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_WARM_UP_STEPS: Final = 20
_SAVE_EVERY: Final = 25
_LEAST_RATE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Settings:
    """What, beside the data and the base, decides the weights."""

    seed: int = 1
    epochs: int = 2
    rank: int = 16
    alpha: int = 32
    rate: float = 8e-4
    tokens_of_a_batch: int = 2400
    """Most tokens of a step, padding included."""


def batches(settings: Settings, tokenizer: Any) -> list[list[Sequence]]:
    """Return the steps of all epochs: sequences of like length, in random order."""
    found: list[list[Sequence]] = []
    for epoch in range(settings.epochs):
        random = Random(f"{settings.seed} {epoch}")
        sequences = [encode(example, tokenizer) for example in find_examples(settings.seed * 1000 + epoch)]
        random.shuffle(sequences)
        sequences.sort(key=lambda each: len(each.tokens) // 16)
        steps = list(_packed(sequences, settings.tokens_of_a_batch))
        random.shuffle(steps)
        found += steps
    return found


def _packed(sequences: list[Sequence], most: int) -> Iterator[list[Sequence]]:
    batch: list[Sequence] = []
    for sequence in sequences:
        if batch and (len(batch) + 1) * len(sequence.tokens) > most:
            yield batch
            batch = []
        batch.append(sequence)
    if batch:
        yield batch


def load_base(path: Path) -> tuple[Any, Any]:
    """Return the model, dequantised, and its tokenizer."""
    model: Any = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    return model, AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def with_adapter(model: Any, settings: Settings) -> Any:
    """Return the model with an adapter that does nothing yet."""
    config = LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, target_modules=list(LINEAR), bias="none", task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)


def loss_of(model: Any, batch: list[Sequence]) -> torch.Tensor:
    """Return the mean loss over the tokens of the answers."""
    longest = max(len(each.tokens) for each in batch)
    tokens = torch.zeros(len(batch), longest, dtype=torch.long)
    mask = torch.zeros(len(batch), longest, dtype=torch.long)
    learned = torch.zeros(len(batch), longest, dtype=torch.bool)
    for row, each in enumerate(batch):
        tokens[row, : len(each.tokens)] = torch.tensor(each.tokens)
        mask[row, : len(each.tokens)] = 1
        learned[row, each.prompt - 1 : len(each.tokens) - 1] = True
    inner = model.get_base_model()
    states = inner.model(input_ids=tokens, attention_mask=mask).last_hidden_state
    scores = inner.lm_head(states[learned])
    following = torch.roll(tokens, -1, dims=1)[learned]
    return torch.nn.functional.cross_entropy(scores, following)


def rate_at(step: int, steps: int, rate: float) -> float:
    """Return the learning rate of a step: a warm-up, then half a cosine down to a tenth."""
    if step < _WARM_UP_STEPS:
        return rate * (step + 1) / _WARM_UP_STEPS
    done = (step - _WARM_UP_STEPS) / max(1, steps - _WARM_UP_STEPS)
    return rate * (_LEAST_RATE + (1 - _LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * done)))


@dataclass(slots=True)
class Training:
    """The weights under training, and where their state is kept."""

    settings: Settings
    folder: Path
    weights: list[torch.Tensor]
    optimizer: torch.optim.Optimizer

    @property
    def _checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def restore(self) -> int:
        """Take over the last checkpoint and return the step that comes next."""
        if not self._checkpoint.exists():
            return 0
        saved: dict[str, Any] = torch.load(self._checkpoint, weights_only=True)
        if saved["settings"] != asdict(self.settings):
            raise SystemExit(f"{self._checkpoint} was made with other settings: remove it, or choose another folder")
        with torch.no_grad():
            for weight, value in zip(self.weights, saved["weights"], strict=True):
                weight.copy_(value)
        self.optimizer.load_state_dict(saved["optimizer"])
        return int(saved["step"])

    def save(self, step: int) -> None:
        """Write a checkpoint, whole or not at all."""
        state = {
            "settings": asdict(self.settings),
            "step": step,
            "weights": [weight.detach() for weight in self.weights],
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(state, self._checkpoint.with_suffix(".new"))
        self._checkpoint.with_suffix(".new").replace(self._checkpoint)

    def step(self, loss: torch.Tensor, rate: float) -> None:
        """Move the weights once."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()


def train(settings: Settings, folder: Path) -> None:
    """Train into `folder`, from its last checkpoint if there is one."""
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(mode=True)
    torch.set_num_threads(os.cpu_count() or 1)
    base, tokenizer = load_base(find_model_file())
    model = with_adapter(base, settings)
    model.train()
    weights = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings.rate, weight_decay=0.0, betas=(0.9, 0.98))
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(settings, folder, weights, optimizer)
    first, steps = training.restore(), batches(settings, tokenizer)
    print(f"{len(steps)} steps, {sum(len(one.tokens) for step in steps for one in step)} tokens, from step {first}")
    began = time.monotonic()
    for done in range(first + 1, len(steps) + 1):
        loss = loss_of(model, steps[done - 1])
        training.step(loss, rate_at(done - 1, len(steps), settings.rate))
        left = (time.monotonic() - began) / (done - first) * (len(steps) - done)
        print(f"step {done} of {len(steps)}, loss {loss.item():.3f}, {left / 60:.0f} min left", flush=True)
        if done % _SAVE_EVERY == 0 or done == len(steps):
            training.save(done)
    model.save_pretrained(folder / "adapter")
    (folder / "settings.json").write_text(json.dumps(asdict(settings)) + "\n")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("training/out"))
    parser.add_argument("--epochs", type=int, default=Settings.epochs)
    options = parser.parse_args()
    train(Settings(epochs=options.epochs), options.folder)


if __name__ == "__main__":
    main()
