"""Speed of XNOR-popcount products on packed words: against numpy on bytes and a bare XOR-popcount loop.

    python benchmarks/binary_matmul.py

One core. Shapes are the binary convolutions of VGG-small as matrices [pixels, k] x [k, channels]. A time is
the best of several; ratios are of times in this run. Weights are packed before the clock starts; packing the
activations is timed on its own line. All three must agree exactly.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

from hwsim.kernels.binary_matmul import binary_product, count_differences, pack_signs

SHAPES = ((1024, 1152, 128), (256, 1152, 256), (256, 2304, 256), (64, 2304, 512), (64, 4608, 512))


def best_s(action: Callable[[], object], rounds: int) -> float:
    """Return the shortest of `rounds` runs, after one that compiles."""
    action()
    found = []
    for _ in range(rounds):
        begin = time.perf_counter()
        action()
        found.append(time.perf_counter() - begin)
    return min(found)


def limit_words_per_s() -> float:
    """Return the best rate of ``popcount(a ^ b)`` over vectors that fit the first-level cache."""
    rng = np.random.default_rng(1)
    rates = []
    for size in (512, 1024, 2048):
        a, b = (rng.integers(0, 2**63, size, dtype=np.uint64) for _ in range(2))

        rates.append(20_000 * size / best_s(lambda a=a, b=b: count_differences(a, b, 20_000), 7))
    return max(rates)


def main() -> int:
    """Print one row a shape; exit 1 if packed and unpacked results differ."""
    limit, same = limit_words_per_s(), True
    sys.stdout.write(f"bare XOR-popcount loop: {limit / 1e9:.2f} G words/s\n")
    sys.stdout.write(f"{'m x k x n':>18}{'G bit products/s':>18}{'x int8 numpy':>14}{'x float32 BLAS':>16}"
                     f"{'of popcount':>13}{'pack / product':>16}\n")
    rng = np.random.default_rng(0)
    for m, k, n in SHAPES:
        x, w = (rng.choice(np.array([-1, 1], np.int8), size) for size in ((m, k), (n, k)))
        left, right = pack_signs(x), pack_signs(w)
        x16, w16 = x.astype(np.int16), w.astype(np.int16).T  # sums of int8 would wrap around
        xf, wf = x.astype(np.float32), w.astype(np.float32).T
        same &= np.array_equal(binary_product(left, right, k), x16.astype(np.int32) @ w16.astype(np.int32))
        packed_s = best_s(lambda left=left, right=right, k=k: binary_product(left, right, k), 15)
        bytes_s = best_s(lambda x=x, w=w: x @ w.T, 2)
        blas_s = best_s(lambda xf=xf, wf=wf: xf @ wf, 10)
        pack_s = best_s(lambda x=x: pack_signs(x), 5)
        rate = m * left.shape[1] * n / packed_s
        sys.stdout.write(f"{f'{m} x {k} x {n}':>18}{m * k * n / packed_s / 1e9:>18,.0f}"
                         f"{bytes_s / packed_s:>14,.0f}{blas_s / packed_s:>16.1f}{rate / limit:>13.0%}"
                         f"{pack_s / packed_s:>16.2f}\n")
    sys.stdout.write(f"the results agree: {same}; target: 20 x int8 numpy\n")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
