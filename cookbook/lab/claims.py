"""Lab: what an experiment claims, measured, and whether it holds."""

import dataclasses
import json
import time

from cookbook.reports.finish import Run
from cookbook.training.run_folder import plain


@dataclasses.dataclass(frozen=True)
class Claim:
    """A sentence with a number in it: `measured` is at least (or at most) `bound`."""

    text: str
    measured: float
    bound: float
    at_most: bool = False

    @property
    def holds(self):
        """Whether the measured number is on the claim's side of its bound."""
        if self.at_most:
            return self.measured <= self.bound
        return self.measured >= self.bound

    def __str__(self):
        side = "at most" if self.at_most else "at least"
        mark = "holds " if self.holds else "FAILS "
        return f"{mark} {self.text}: {self.measured:.4g} ({side} {self.bound:.4g})"


def conclude(run, claims):
    """Prints each claim with its number, writes metrics.json, returns the Run."""
    for claim in claims:
        print(claim)
    seconds = time.time() - run.started
    rows = [{**dataclasses.asdict(claim), "holds": claim.holds} for claim in claims]
    run.write_json(
        "metrics.json",
        {
            "claims": json.loads(json.dumps(rows, default=float)),
            "seconds": round(seconds, 1),
            "settings": plain(run.config),
        },
    )
    print(
        f"{sum(claim.holds for claim in claims)} of {len(claims)} claims hold | "
        f"{seconds:.0f} s | {run.path}"
    )
    figures = {claim.text: claim.measured for claim in claims}
    return Run(None, [], figures, run.path)
