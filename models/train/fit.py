"""The training loop: several students learn side by side from one pool of views."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .augment import SMALL_SIDES, change_colours, flip, make_small
from .consensus import Consensus
from .network import SHAPES, Student
from .pool import VIEW_SIDE, Pool

SAVE_EVERY = 60  # seconds
FRESH = 512  # views that are drawn at once


@dataclass(frozen=True)
class Plan:
    """What one student is and how it learns."""

    shape: str = "large"
    seed: int = 1
    evidence_share: float = 0.35  # of the target, where classifiers are sure of the class
    batch: int = 512
    rate: float = 3e-3
    decay: float = 0.05
    warm_up: float = 0.03  # of all steps
    average: float = 0.999  # of the weights, per step
    teacher_share: float = 0.5  # of the coverage, where there is a mask too
    feature_weight: float = 0.5  # of the loss on the teacher's features, at first
    last_feature_weight: float = 0.1  # the same at the end; it changes linearly
    consensus_share: float = 0.0  # of the target: the mean map of several students

    @classmethod
    def of(cls, words: str) -> "Plan":
        """Read SHAPE:SEED:EVIDENCE, as in `large:1:0.35`."""
        shape, seed, share = words.split(":")
        return cls(shape=shape, seed=int(seed), evidence_share=float(share))

    def last(self) -> "Plan":
        """Give the plan of the last stage, in which a trained student learns from all of them."""
        return replace(
            self,
            batch=256,
            rate=2e-3,
            warm_up=0.04,
            average=0.998,
            feature_weight=0.15,
            last_feature_weight=0.15,
            consensus_share=0.5,
        )

    @property
    def name(self) -> str:
        """The same words, fit for a file name."""
        return f"{self.shape}-{self.seed}-{self.evidence_share:g}"


def target(pool: Pool, index: Tensor, plan: Plan) -> Tensor:
    """Give the wanted maps of some views.

    The coverage is the mean of mask and teacher, the teacher's map where there is no mask. It is
    lowered where classifiers do not need the cell to tell the class.
    """
    mask, heat, evidence = (x[index].float() for x in (pool.masks, pool.heat, pool.evidence))
    coverage = torch.where(mask < 0, heat, torch.lerp(mask, heat, plan.teacher_share))
    telling = torch.where(evidence < 0, 0.5, evidence)
    return coverage * (1 - plan.evidence_share + plan.evidence_share * telling)


def make_optimizer(student: Student, plan: Plan) -> torch.optim.Optimizer:
    """Make AdamW, with decay on convolution weights only."""
    matrices = [p for p in student.parameters() if p.dim() > 1]
    vectors = [p for p in student.parameters() if p.dim() <= 1]
    groups = [
        {"params": matrices, "weight_decay": plan.decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    fused = matrices[0].device.type == "cuda"
    return torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.99), fused=fused)


class Run:
    """The training of one student.

    With a consensus, it goes on from the weights of the student `start`.
    """

    def __init__(
        self,
        plan: Plan,
        device: torch.device,
        start: Student | None = None,
        consensus: Consensus | None = None,
    ) -> None:
        self.plan, self.device, self.consensus = plan, device, consensus
        torch.manual_seed(plan.seed)
        self.student = self._make()
        if start is not None:
            self.student.load_state_dict(start.state_dict())
        self.average = self._make()
        self.average.load_state_dict(self.student.state_dict())
        pairs = zip(
            self.average.state_dict().values(), self.student.state_dict().values(), strict=True
        )
        self.blended = [pair for pair in pairs if pair[0].dtype.is_floating_point]
        self.optimizer = make_optimizer(self.student, plan)
        self.chance = torch.Generator(device).manual_seed(plan.seed)
        self.sizes = np.random.default_rng(plan.seed)
        self.steps = 0
        self.losses = torch.zeros(2, device=device)

    def _make(self) -> Student:
        student = Student(SHAPES[self.plan.shape]).to(self.device)
        return student.to(memory_format=torch.channels_last).train()

    def step(self, pool: Pool, done: float) -> None:
        """Do one step; `done` is the share of all steps that are done."""
        plan = self.plan
        index = torch.randint(pool.size, (plan.batch,), generator=self.chance, device=self.device)
        pixels = pool.images[index].permute(0, 3, 1, 2).float()
        features = pool.features[index].float()
        wanted = target(pool, index, plan)
        small = int(self.sizes.choice(SMALL_SIDES)) if self.student.side < VIEW_SIDE else None
        if self.consensus:
            # The others see the view as it is, in its own colours.
            seen = make_small(pixels, self.student.side, small) if small else pixels
            with self._autocast():
                agreed = self.consensus(seen)
            wanted = torch.lerp(wanted, agreed, plan.consensus_share)
        pixels, wanted, features = flip(self.chance, pixels, wanted, features)
        pixels = change_colours(pixels, self.chance)
        if small:
            pixels = make_small(pixels, self.student.side, small)
        with self._autocast():
            logits, imitated = self.student(pixels.permute(0, 2, 3, 1))
        heat_loss = functional.binary_cross_entropy_with_logits(logits.float(), wanted)
        feature_loss = functional.mse_loss(imitated.float(), features)
        weight = (1 - done) * plan.feature_weight + done * plan.last_feature_weight
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(heat_loss + weight * feature_loss)
        nn.utils.clip_grad_norm_(self.student.parameters(), 5.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate(done)
        self.optimizer.step()
        self.steps += 1
        # A short average at first, so that the random start soon has no weight in it.
        self._blend(min(plan.average, self.steps / (self.steps + 10)))
        self.losses += torch.stack([heat_loss.detach(), feature_loss.detach()])

    def _autocast(self) -> torch.autocast:
        """Compute in bfloat16 on a GPU."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def _rate(self, done: float) -> float:
        """Warm up linearly, then fall along a cosine to zero."""
        plan = self.plan
        if done < plan.warm_up:
            return plan.rate * (done / plan.warm_up + 0.01)
        return (
            plan.rate * 0.5 * (1 + math.cos(math.pi * (done - plan.warm_up) / (1 - plan.warm_up)))
        )

    @torch.no_grad()
    def _blend(self, keep: float) -> None:
        """Move the averaged weights (and batch statistics) towards the current ones."""
        slow, fast = (list(side) for side in zip(*self.blended, strict=True))
        torch._foreach_lerp_(slow, fast, 1 - keep)

    def report(self, steps: int) -> str:
        """Give the mean losses of the last steps and start anew."""
        heat, features = (self.losses / max(steps, 1)).tolist()
        self.losses.zero_()
        return f"{self.plan.name}: heat map {heat:.4f}, features {features:.3f}"


def train(runs: list[Run], pool: Pool, steps: int, fresh: float, save: Callable[[], None]) -> None:
    """Train all students to the end.

    Args:
        runs: The students.
        pool: Full of views.
        steps: Of each student.
        fresh: New views for each step.
        save: Called about once a minute and at the end.
    """
    began = saved = time.monotonic()
    last, owed = 0, 0.0
    for step in range(steps):
        owed += fresh
        if owed >= FRESH:
            pool.add(FRESH)
            owed -= FRESH
        for run in runs:
            run.step(pool, step / steps)
        now = time.monotonic()
        if now - saved > SAVE_EVERY or step + 1 == steps:
            print(
                f"step {step + 1} of {steps}, {pool.drawn} views, {now - began:.0f} s", flush=True
            )
            for run in runs:
                print("  " + run.report(step + 1 - last), flush=True)
            save()
            saved, last = time.monotonic(), step + 1
