"""Times DoubleML's IRM with LightGBM beside `cargo run --release -p throughline-evidence --example aipw_speed`.

    pip install doubleml lightgbm
    python tools/peers/aipw.py [ROWS] [COVARIATES] [THREADS]

The data have the same law as the example's, the trees the same size: 100 rounds of step 0.1 and depth 5, five folds, and
propensities within 0.01 and 0.99.
"""

import sys
import time
import warnings

import doubleml as dml
import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor

warnings.filterwarnings("ignore")


def main():
    given = [int(a) for a in sys.argv[1:]]
    rows, covariates, threads = (given + [200_000, 25, 2][len(given):])[:3]
    rng = np.random.default_rng(17)
    x = rng.standard_normal((rows, covariates))
    p = 1 / (1 + np.exp(-(0.8 * x[:, 0] - 0.5 * x[:, 1] * (x[:, 2] > 0))))
    d = (rng.random(rows) < p).astype(float)
    y = np.sin(x[:, 0]) + x[:, 1] * x[:, 2] + d * (1 + 0.5 * x[:, 1]) + rng.standard_normal(rows)
    trees = dict(
        n_estimators=100, learning_rate=0.1, max_depth=5, num_leaves=32, min_child_samples=20, n_jobs=threads, verbose=-1
    )
    data = dml.DoubleMLData.from_arrays(x, y, d)
    start = time.perf_counter()
    model = dml.DoubleMLIRM(data, LGBMRegressor(**trees), LGBMClassifier(**trees), n_folds=5, score="ATE")
    model.fit()
    seconds = time.perf_counter() - start
    print(
        f"{rows} x {covariates}, {threads} threads: ATE {model.coef[0]:.4f} ± {model.se[0]:.4f} (truth 1) "
        f"in {seconds:.2f} s (DoubleML {dml.__version__})"
    )


main()
