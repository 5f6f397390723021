"""The training step of mlp_bench.cc in NumPy: one line per number of threads, in milliseconds."""
import os
import subprocess
import sys
import time

if len(sys.argv) == 1:
    for threads in ("1", "2"):
        env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_CORETYPE")}
        env.update(OPENBLAS_NUM_THREADS=threads, OMP_NUM_THREADS=threads)
        subprocess.run([sys.executable, __file__, threads], env=env, check=True)
    sys.exit()

import numpy as np

rng = np.random.default_rng(0)
shapes = [(784, 512), (512, 512), (512, 10)]
w = [(rng.standard_normal(s) * np.sqrt(2 / s[0])).astype(np.float32) for s in shapes]
b = [np.zeros(s[1], np.float32) for s in shapes]
vw = [np.zeros_like(a) for a in w]
vb = [np.zeros_like(a) for a in b]
x = rng.random((128, 784), np.float32)
one_hot = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 128)]


def step():
    h1 = np.maximum(x @ w[0] + b[0], 0)
    h2 = np.maximum(h1 @ w[1] + b[1], 0)
    z = h2 @ w[2] + b[2]
    e = np.exp(z - z.max(-1, keepdims=True))
    dz = (e / e.sum(-1, keepdims=True) - one_hot) / np.float32(128)
    grads = [(h2.T @ dz, dz.sum(0))]
    dh = (dz @ w[2].T) * (h2 > 0)
    grads.append((h1.T @ dh, dh.sum(0)))
    dh = (dh @ w[1].T) * (h1 > 0)
    grads.append((x.T @ dh, dh.sum(0)))
    for i, (gw, gb) in enumerate(reversed(grads)):
        vw[i] = np.float32(0.9) * vw[i] + gw
        vb[i] = np.float32(0.9) * vb[i] + gb
        w[i] -= np.float32(0.05) * vw[i]
        b[i] -= np.float32(0.05) * vb[i]


for _ in range(10):
    step()
times = []
for _ in range(200):
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
print(f"numpy train_mlp_sgd/{sys.argv[1]} threads: median {1e3 * sorted(times)[100]:.2f} ms")
