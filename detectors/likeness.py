"""How much do accounts differ in a share? The intra-class correlation, 0 where all are alike."""

from __future__ import annotations

import numpy as np

from detectors.population import Floats


def likeness(x: Floats, n: Floats) -> float:
    """Intra-class correlation of a share over accounts, 0 (all alike) to 1 (each its own); from sums of x, n, x^2/n.

    Source: the analysis-of-variance estimator for proportions, Ridout et al. 1999.

    >>> round(likeness(np.array([5.0, 5.0, 5.0]), np.array([10.0, 10.0, 10.0])), 2)
    0.0
    >>> round(likeness(np.array([10.0, 0.0, 10.0]), np.array([10.0, 10.0, 10.0])), 2)
    1.0
    """
    use = n >= 2
    x, n = x[use], n[use]
    if len(n) < 3 or x.sum() <= 0 or x.sum() >= n.sum():
        return 0.0
    total, square = n.sum(), (n * n).sum()
    between = ((x * x / n).sum() - x.sum() ** 2 / total) / (len(n) - 1)
    within = (x - x * x / n).sum() / max(total - len(n), 1.0)
    size = (total - square / total) / (len(n) - 1)
    return float(np.clip((between - within) / max(between + (size - 1) * within, 1e-12), 0.0, 1.0))
