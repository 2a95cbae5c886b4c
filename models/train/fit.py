"""The training loop: one process, one thread, resumable, the same for the same seed."""

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .augment import change_colours, flip, make_small
from .cache import Shard
from .network import Shape, Student

CHECKPOINT_EVERY = 200  # steps


@dataclass(frozen=True)
class Plan:
    """What a training run is; stored in its checkpoints."""

    steps: int = 5000
    batch: int = 128
    rate: float = 3e-3
    decay: float = 0.05
    warm_up: int = 200
    average: float = 0.998  # of the weights, per step
    teacher_share: float = 0.5  # of the target, where there is a mask too
    feature_weight: float = 0.5  # of the loss on the teacher's features, at first
    last_feature_weight: float = 0.1  # the same at the end; it changes linearly
    seed: int = 1


def targets(shard: Shard, teacher_share: float) -> Tensor:
    """Mix the masks' coverage with the teacher's map; the map alone where there is no mask."""
    mask = torch.from_numpy(shard.mask.astype(np.float32))
    heat = torch.from_numpy(shard.heat.astype(np.float32))
    return torch.where(mask < 0, heat, mask + teacher_share * (heat - mask))


def rate_at(step: int, plan: Plan) -> float:
    """Warm up linearly, then fall along a cosine to zero."""
    if step < plan.warm_up:
        return plan.rate * (step + 1) / plan.warm_up
    done = (step - plan.warm_up) / max(1, plan.steps - plan.warm_up)
    return plan.rate * 0.5 * (1 + math.cos(math.pi * done))


def make_optimizer(student: Student, plan: Plan) -> torch.optim.Optimizer:
    """Make AdamW, with decay on convolution weights only."""
    matrices = [p for p in student.parameters() if p.dim() > 1]
    vectors = [p for p in student.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": plan.decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.99))


def blend(average: nn.Module, current: nn.Module, keep: float) -> None:
    """Move the averaged weights (and batch statistics) towards the current ones."""
    with torch.no_grad():
        for slow, fast in zip(
            average.state_dict().values(), current.state_dict().values(), strict=True
        ):
            if slow.dtype.is_floating_point:
                slow.lerp_(fast, 1 - keep)
            else:
                slow.copy_(fast)


def sample(order_seed: int, count: int, step: int, batch: int) -> Tensor:
    """Give the indices of a step: each round over all views has a new order."""
    per_round = count // batch
    order = np.random.default_rng([order_seed, step // per_round]).permutation(count)
    start = (step % per_round) * batch
    return torch.from_numpy(order[start : start + batch].copy())


def channels_last(shape: Shape) -> Student:
    """Make a student whose weights are in the memory order that is fastest on a CPU."""
    student = Student(shape)
    for parameter in student.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return student


class Run:
    """A training run that can be stopped, and resumed from its last checkpoint."""

    def __init__(
        self, plan: Plan, shape: Shape, checkpoint: Path, start: Path | None = None
    ) -> None:
        self.plan, self.shape, self.checkpoint = plan, shape, checkpoint
        torch.manual_seed(plan.seed)
        self.student, self.average = channels_last(shape), channels_last(shape)
        if start is not None:
            earlier = torch.load(start, weights_only=True)
            self.student.load_state_dict(earlier["average"])
        self.average.load_state_dict(self.student.state_dict())
        self.optimizer = make_optimizer(self.student, plan)
        # Half the time where the processor multiplies them in hardware, twice where it does not.
        self.bfloat16 = torch.cpu._is_amx_tile_supported()
        self.step = 0
        if checkpoint.exists():
            stored = torch.load(checkpoint, weights_only=True)
            # The number of steps may change: the rate then follows the new curve.
            same_plan = {**stored["plan"], "steps": plan.steps} == vars(plan)
            if not same_plan or stored["shape"] != shape.as_dict():
                raise ValueError(f"{checkpoint} is of another run: give another --out")
            self.student.load_state_dict(stored["student"])
            self.average.load_state_dict(stored["average"])
            self.optimizer.load_state_dict(stored["optimizer"])
            self.step = stored["step"]

    def save(self) -> None:
        """Write the checkpoint under a temporary name and rename it: it is never half written."""
        stored = {
            "plan": vars(self.plan),
            "shape": self.shape.as_dict(),
            "student": self.student.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(stored, partial)
        os.replace(partial, self.checkpoint)

    def train_step(self, shard: Shard, target: Tensor) -> tuple[float, float]:
        """Do one step; gives the two losses."""
        plan = self.plan
        # Seeded by the step, so that a resumed run draws what an uninterrupted one draws.
        chance = torch.Generator().manual_seed(plan.seed * 1_000_003 + self.step)
        index = sample(plan.seed, len(target), self.step, plan.batch)
        picked = index.numpy()
        pixels = torch.from_numpy(shard.image[picked]).permute(0, 3, 1, 2).float()
        features = torch.from_numpy(shard.features[picked]).float()
        pixels, wanted, features = flip(chance, pixels, target[index], features)
        pixels = change_colours(pixels, chance)
        if self.shape.side < pixels.shape[-1]:
            pixels = make_small(pixels, self.shape.side, chance)
        pixels = pixels.permute(0, 2, 3, 1).contiguous()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            logits, imitated = self.student(pixels)
        logits, imitated = logits.float(), imitated.float()
        heat_loss = functional.binary_cross_entropy_with_logits(logits, wanted)
        feature_loss = functional.mse_loss(imitated, features)
        done = self.step / plan.steps
        weight = (1 - done) * plan.feature_weight + done * plan.last_feature_weight
        loss = heat_loss + weight * feature_loss
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.step, plan)
        self.optimizer.step()
        self.step += 1
        # A short average at first, so that the random start soon has no weight in it.
        blend(self.average, self.student, min(plan.average, self.step / (self.step + 10)))
        return float(heat_loss.detach()), float(feature_loss.detach())

    def train(self, shard: Shard) -> Student:
        """Train to the end and give the network with the averaged weights."""
        self.student.train()
        target = targets(shard, self.plan.teacher_share)
        began, sums, counted = time.monotonic(), [0.0, 0.0], 0
        while self.step < self.plan.steps:
            heat_loss, feature_loss = self.train_step(shard, target)
            sums = [sums[0] + heat_loss, sums[1] + feature_loss]
            counted += 1
            if self.step % CHECKPOINT_EVERY == 0 or self.step == self.plan.steps:
                self.save()
                seconds = time.monotonic() - began
                print(
                    f"step {self.step} of {self.plan.steps}: heat map {sums[0] / counted:.4f}, "
                    f"features {sums[1] / counted:.4f}, {seconds:.0f} s",
                    flush=True,
                )
                sums, counted = [0.0, 0.0], 0
        return self.average
