"""The packed layer against the same layer on unpacked bits, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from hwsim.kernels import bitstream as bs
from hwsim.kernels import integral_network as net
from tests.unit.bitstream import plain


def lay_out(v: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Bits v [images, rows, clocks] and w [neurons, planes, rows, clocks] in the layouts of the kernel."""
    rows = -(-v.shape[1] // net.GROUP) * net.GROUP
    words = bs.words_of(v.shape[2])
    inputs = np.zeros((words, rows, net.LANES), np.uint64)
    inputs[:, : v.shape[1], : v.shape[0]] = bs.pack(v).transpose(2, 1, 0)
    weights = np.zeros((words, w.shape[0], w.shape[1], rows), np.uint64)
    weights[..., : w.shape[2]] = bs.pack(w).transpose(3, 0, 1, 2)
    return inputs.reshape(words, -1), weights.reshape(words, w.shape[0], -1), rows


@pytest.mark.parametrize(("rows", "planes", "clocks", "limit"),
                         [(5, 1, 64, 99), (70, 1, 100, 4), (300, 1, 65, 999), (40, 4, 130, 999), (8, 3, 1, 9),
                          (17, 16, 70, 10**6)])
def test_packed_layer_equals_plain_layer(rows: int, planes: int, clocks: int, limit: int) -> None:
    rng = np.random.default_rng(rows)
    v = (rng.random((3, rows, clocks)) < 0.4).astype(np.uint8)
    w = (rng.random((4, planes, rows, clocks)) < 0.55).astype(np.uint8)
    states = np.array([2, 10, 60, 400])
    inputs, weights, padded = lay_out(v, w)
    out = net.hidden_layer(inputs, weights, padded, planes, states, limit, False, clocks)
    lanes = out.reshape(-1, 4, net.LANES)[:, :, :3].transpose(2, 1, 0)
    assert np.array_equal(bs.unpack(lanes, clocks), plain.layer(v, w, states, limit))
    sums = net.output_layer(inputs, weights, padded, planes, False)[:, :3]
    values = 2 * w.astype(int).sum(axis=1) - planes
    assert np.array_equal(sums, np.einsum("bit,oit->ob", v.astype(int), values))


def test_approximate_layer_counts_pairs_by_or_and_and() -> None:
    rng = np.random.default_rng(1)
    v = (rng.random((2, 24, 70)) < 0.4).astype(np.uint8)
    w = (rng.random((3, 2, 24, 70)) < 0.5).astype(np.uint8)
    inputs, weights, padded = lay_out(v, w)
    sums = net.output_layer(inputs, weights, padded, 2, True)[:, :2]
    for image in range(2):
        for o in range(3):
            near = sum(plain.pairwise_counts(v[image] & w[o, k]).sum() for k in range(2))
            assert sums[o, image] == 2 * near - 2 * int(v[image].astype(int).sum())


def test_lanes_do_not_see_each_other() -> None:
    rng = np.random.default_rng(2)
    v = (rng.random((net.LANES, 20, 90)) < 0.5).astype(np.uint8)
    w = (rng.random((5, 1, 20, 90)) < 0.5).astype(np.uint8)
    states = np.full(5, 20)
    inputs, weights, padded = lay_out(v, w)
    whole = net.hidden_layer(inputs, weights, padded, 1, states, 99, False, 90).reshape(-1, 5, net.LANES)
    for lane in (0, 13, net.LANES - 1):
        alone, _, _ = lay_out(v[lane : lane + 1], w)
        single = net.hidden_layer(alone, weights, padded, 1, states, 99, False, 90)
        assert np.array_equal(single.reshape(-1, 5, net.LANES)[:, :, 0], whole[:, :, lane])
