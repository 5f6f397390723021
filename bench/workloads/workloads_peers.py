"""The workloads of weft_bench_workloads on NumPy and PyTorch, whichever are installed. One line each:
    peer,workload,params,threads,median_ms,derived
A suffix of a name (_nhwc, _foreach, ...) is another way to the same result; the best one counts.

    workloads_peers.py numpy|torch [--threads N] [--only REGEX] [--seconds S] [--list] [--serve]

The number of threads and the allocator are settled by the environment before Python starts: ratios.py does that.
"""
import argparse
import os
import re
import sys
import time

CASES = []  # (workload, params, amount, prepare): `prepare` makes the operands and returns what is timed


def case(workload, params, flops=0, bytes=0):
    def add(prepare):
        CASES.append((workload, params, {"GFLOP/s": flops, "GB/s": bytes}, prepare))
        return prepare

    return add


PRODUCTS = [("128x512x784", 128, 512, 784), ("512", 512, 512, 512), ("1024", 1024, 1024, 1024),
            ("1024x1024x256", 1024, 1024, 256), ("2048", 2048, 2048, 2048), ("5000", 5000, 5000, 5000)]
LARGE = 10_000_000
MLP_FLOPS = 6 * 128 * (784 * 512 + 512 * 512 + 5120) - 2 * 128 * 784 * 512


def numpy_cases():
    import numpy as np

    f32 = np.float32
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape, dtype=f32)

    for params, m, n, k in PRODUCTS:
        @case("gemm_f32", params, flops=2 * m * n * k)
        def _(m=m, n=n, k=k):
            a, b, out = normal(m, k), normal(k, n), np.empty((m, n), f32)
            return lambda: np.matmul(a, b, out=out)

    @case("bgemm_f32", "64x128^3", flops=64 * 2 * 128**3)
    def _():
        a, b = normal(64, 128, 128), normal(64, 128, 128)
        return lambda: a @ b

    @case("gemv_f32", "1024", flops=2 * 1024**2)
    def _():
        a, x, out = normal(1024, 1024), normal(1024), np.empty(1024, f32)
        return lambda: np.matmul(a, x, out=out)

    def elementwise(workload, f, bytes=0):
        @case(workload, "10M", bytes=bytes)
        def _():
            x = normal(LARGE)
            return lambda: f(x)

    elementwise("chain", lambda x: np.sin(x) * np.exp(-x * x) + np.tanh(x) / (1 + x * x))
    elementwise("unary_sin", np.sin, 8 * LARGE)
    elementwise("unary_exp", np.exp, 8 * LARGE)
    elementwise("unary_tanh", np.tanh, 8 * LARGE)
    elementwise("add", lambda x: x + x, 12 * LARGE)
    elementwise("sum_all", lambda x: x.sum(), 4 * LARGE)
    elementwise("argmax", lambda x: x.argmax(), 4 * LARGE)
    elementwise("cumsum", lambda x: x.cumsum(), 8 * LARGE)

    def of_matrix(workload, params, shape, f, bytes=0):
        @case(workload, params, bytes=bytes)
        def _():
            x = normal(*shape)
            return lambda: f(x)

    def sum_slice(x):
        y = ((x * f32(2) + f32(1)) * x - f32(0.5)) * x + np.abs(x)
        return y.sum(0)[:10].copy()

    of_matrix("toy_readme", "5000^2", (5000, 5000), lambda m: m * m + m * f32(2))
    of_matrix("toy_sum_slice", "5000^2", (5000, 5000), sum_slice)

    def softmax(x):
        e = np.exp(x - x.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def logsumexp(x):
        top = x.max(1, keepdims=True)
        return np.log(np.exp(x - top).sum(1)) + top[:, 0]

    of_matrix("softmax", "4096x1024", (4096, 1024), softmax, 8 * 4096 * 1024)
    of_matrix("logsumexp", "4096x1024", (4096, 1024), logsumexp, 4 * 4096 * 1024)

    @case("layernorm", "8192x768", bytes=8 * 8192 * 768)
    def _():
        x, scale, shift = normal(8192, 768), normal(768), normal(768)

        def layer_norm():
            centred = x - x.mean(1, keepdims=True)
            return centred / np.sqrt((centred * centred).mean(1, keepdims=True) + f32(1e-5)) * scale + shift

        return layer_norm

    pool = (32, 56, 56, 64)
    windows = (32, 28, 2, 28, 2, 64)
    of_matrix("maxpool2x2_nhwc", "32x56x56x64", pool, lambda x: x.reshape(windows).max((2, 4)), 5 * 32 * 56 * 56 * 64)
    of_matrix("avgpool2x2_nhwc", "32x56x56x64", pool, lambda x: x.reshape(windows).mean((2, 4)), 5 * 32 * 56 * 56 * 64)

    @case("train_mlp_sgd", "784-512-512-10 b128", flops=MLP_FLOPS)
    def _():
        sizes = (784, 512, 512, 10)
        w = [normal(i, o) * f32(i**-0.5) for i, o in zip(sizes, sizes[1:])]
        b = [np.zeros(o, f32) for o in sizes[1:]]
        x, y, rows = normal(128, 784), rng.integers(0, 10, 128), np.arange(128)

        def step():
            h = [x]
            for i in range(2):
                h.append(np.maximum(h[i] @ w[i] + b[i], 0))
            d = softmax(h[2] @ w[2] + b[2])
            d[rows, y] -= 1
            d /= 128
            for i in (2, 1, 0):
                gradient, shift = h[i].T @ d, d.sum(0)
                if i:
                    d = (d @ w[i].T) * (h[i] > 0)
                w[i] -= f32(0.01) * gradient
                b[i] -= f32(0.01) * shift

        return step

    @case("dispatch_add", "10")
    def _():
        a, b = normal(10), normal(10)
        return lambda: a + b

    square = (4096, 4096)
    of_matrix("sum_axis0", "4096^2", square, lambda x: x.sum(0), 4 * 4096**2)
    of_matrix("sum_axis1", "4096^2", square, lambda x: x.sum(1), 4 * 4096**2)
    of_matrix("transpose", "4096^2", square, lambda x: np.ascontiguousarray(x.T), 8 * 4096**2)
    million = (1_000_000,)
    of_matrix("sort", "1M", million, np.sort)
    of_matrix("argsort", "1M", million, np.argsort)
    of_matrix("topk", "1M k100", million, lambda x: np.sort(np.partition(x, -100)[-100:]))

    for suffix, take in (("", lambda t, i: t[i]), ("_take", lambda t, i: np.take(t, i, axis=0))):
        @case("gather_rows" + suffix, "100k of 1Mx64", bytes=2 * 100_000 * 256)
        def _(take=take):
            table, rows = normal(1_000_000, 64), rng.integers(0, 1_000_000, 100_000)
            return lambda: take(table, rows)

    @case("normal", "10M")
    def _():
        return lambda: rng.standard_normal(LARGE, dtype=f32)

    @case("uniform", "10M")
    def _():
        return lambda: rng.random(LARGE, dtype=f32)

    def positive():
        a = normal(256, 64, 64)
        return a @ a.transpose(0, 2, 1) + 64 * np.eye(64, dtype=f32)

    def linalg(workload, params, operands, f):
        @case(workload, params)
        def _():
            xs = operands()
            return lambda: f(*xs)

    def symmetric():
        m = normal(512, 512)
        return (m + m.T) / 2

    linalg("inv_batched", "256x64x64", lambda: [positive()], np.linalg.inv)
    linalg("cholesky_batched", "256x64x64", lambda: [positive()], np.linalg.cholesky)
    linalg("svd", "512", lambda: [normal(512, 512)], np.linalg.svd)
    linalg("eigh", "512", lambda: [symmetric()], np.linalg.eigh)
    linalg("solve", "1024", lambda: [normal(1024, 1024) + 32 * np.eye(1024, dtype=f32), normal(1024)], np.linalg.solve)


def torch_cases():
    import warnings

    warnings.filterwarnings("ignore")
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    torch.set_num_threads(OPTIONS.threads)
    torch.manual_seed(0)
    normal = torch.randn

    def with_gradients(workload, params, flops=0):
        def add(prepare):
            def prepared():
                torch.set_grad_enabled(True)
                return prepare()

            CASES.append((workload, params, {"GFLOP/s": flops}, prepared))

        return add

    def without_gradients(workload, params, flops=0, bytes=0):
        def add(prepare):
            def prepared():
                torch.set_grad_enabled(False)
                return prepare()

            CASES.append((workload, params, {"GFLOP/s": flops, "GB/s": bytes}, prepared))

        return add

    for params, m, n, k in PRODUCTS:
        @without_gradients("gemm_f32", params, flops=2 * m * n * k)
        def _(m=m, n=n, k=k):
            a, b, out = normal(m, k), normal(k, n), torch.empty(m, n)
            return lambda: torch.mm(a, b, out=out)

    for n in (1024, 2048):
        @without_gradients("gemm_bf16", str(n), flops=2 * n**3)
        def _(n=n):
            a, b = normal(n, n).bfloat16(), normal(n, n).bfloat16()
            return lambda: a @ b

    def plain(workload, params, shapes, f, flops=0, bytes=0):
        @without_gradients(workload, params, flops, bytes)
        def _():
            xs = [normal(*s) for s in shapes]
            return lambda: f(*xs)

    plain("bgemm_f32", "64x128^3", [(64, 128, 128)] * 2, torch.bmm, flops=64 * 2 * 128**3)
    plain("gemv_f32", "1024", [(1024, 1024), (1024,)], torch.mv, flops=2 * 1024**2)

    large = [(LARGE,)]
    plain("chain", "10M", large, lambda x: torch.sin(x) * torch.exp(-x * x) + torch.tanh(x) / (1 + x * x))
    plain("unary_sin", "10M", large, torch.sin, bytes=8 * LARGE)
    plain("unary_exp", "10M", large, torch.exp, bytes=8 * LARGE)
    plain("unary_tanh", "10M", large, torch.tanh, bytes=8 * LARGE)
    plain("add", "10M", large, lambda x: x + x, bytes=12 * LARGE)
    plain("sum_all", "10M", large, torch.sum, bytes=4 * LARGE)
    plain("argmax", "10M", large, torch.argmax, bytes=4 * LARGE)
    plain("cumsum", "10M", large, lambda x: x.cumsum(0), bytes=8 * LARGE)

    def sum_slice(x):
        y = ((x * 2.0 + 1.0) * x - 0.5) * x + torch.abs(x)
        return y.sum(0)[:10].clone()

    plain("toy_readme", "5000^2", [(5000, 5000)], lambda m: m * m + m * 2.0)
    plain("toy_sum_slice", "5000^2", [(5000, 5000)], sum_slice)
    plain("softmax", "4096x1024", [(4096, 1024)], lambda x: torch.softmax(x, 1), bytes=8 * 4096 * 1024)
    plain("logsumexp", "4096x1024", [(4096, 1024)], lambda x: torch.logsumexp(x, 1), bytes=4 * 4096 * 1024)
    plain("layernorm", "8192x768", [(8192, 768), (768,), (768,)], lambda x, g, b: F.layer_norm(x, (768,), g, b),
          bytes=8 * 8192 * 768)

    last = {"memory_format": torch.channels_last}
    for c, size, out in ((64, 56, 64), (1, 28, 32)):
        params, flops = f"32x{size}x{size}x{c}->{out}", 2 * 32 * 9 * size * size * c * out
        for suffix in ("_nchw", "_nhwc"):
            def laid(x, suffix=suffix):
                return x.to(**last) if suffix == "_nhwc" else x

            @without_gradients("conv3x3" + suffix, params, flops=flops)
            def _(c=c, size=size, out=out, laid=laid):
                x, w = laid(normal(32, c, size, size)), laid(normal(out, c, 3, 3))
                return lambda: F.conv2d(x, w, padding=1)

            @with_gradients("conv3x3_fwdbwd" + suffix, params, flops=flops * (3 if c > 1 else 2))
            def _(c=c, size=size, out=out, laid=laid):
                x = laid(normal(32, c, size, size)).requires_grad_(c > 1)
                w = laid(normal(out, c, 3, 3)).requires_grad_(True)
                ct = laid(normal(32, out, size, size))

                def run():
                    x.grad = w.grad = None
                    F.conv2d(x, w, padding=1).backward(ct)

                return run

    for suffix in ("_nchw", "_nhwc"):
        for workload, f in (("maxpool2x2", F.max_pool2d), ("avgpool2x2", F.avg_pool2d)):
            @without_gradients(workload + suffix, "32x56x56x64", bytes=5 * 32 * 56 * 56 * 64)
            def _(f=f, suffix=suffix):
                x = normal(32, 64, 56, 56)
                x = x.to(**last) if suffix == "_nhwc" else x
                return lambda: f(x, 2)

    optimisers = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, lr=1e-3),
        "adam_foreach": lambda p: torch.optim.Adam(p, lr=1e-3, foreach=True),
    }

    def training(workload, params, make, optimiser, flops=0):
        """`make` returns a model, its input and the loss of its output."""
        @with_gradients(workload, params, flops=flops)
        def _():
            model, x, loss = make()
            update = optimisers[optimiser](model.parameters())

            def step():
                update.zero_grad(set_to_none=True)
                loss(model(x)).backward()
                update.step()

            return step

    def inference(workload, params, make, flops=0):
        @without_gradients(workload, params, flops=flops)
        def _():
            model, x, _ = make()
            return lambda: model(x)

    def mlp():
        y = torch.randint(0, 10, (128,))
        model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
        return model, normal(128, 784), lambda z: F.cross_entropy(z, y)

    training("train_mlp_sgd", "784-512-512-10 b128", mlp, "sgd", MLP_FLOPS)
    training("train_mlp_adam", "784-512-512-10 b128", mlp, "adam", MLP_FLOPS)
    training("train_mlp_adam_foreach", "784-512-512-10 b128", mlp, "adam_foreach", MLP_FLOPS)

    def cnn(channels_last=False):
        y = torch.randint(0, 10, (128,))
        model = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
                              nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
                              nn.Linear(3136, 256), nn.ReLU(), nn.Linear(256, 10))
        x = normal(128, 1, 28, 28)
        if channels_last:
            model, x = model.to(**last), x.to(**last)
        return model, x, lambda z: F.cross_entropy(z, y)

    first, inner = 784 * 9 * 32, 196 * 9 * 32 * 64 + 3136 * 256 + 2560
    for suffix, is_last in (("", False), ("_cl", True)):
        training("train_mnist_cnn" + suffix, "b128 sgdm", lambda l=is_last: cnn(l), "momentum",
                 128 * (4 * first + 6 * inner))
        inference("infer_mnist_cnn" + suffix, "b128", lambda l=is_last: cnn(l), 256 * (first + inner))

    class Block(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads = heads
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x, mask):
            n, length, width = x.shape
            head = width // self.heads
            q, k, v = self.qkv(self.norm1(x)).view(n, length, 3, self.heads, head).permute(2, 0, 3, 1, 4)
            weights = torch.softmax(q @ k.transpose(-1, -2) * head**-0.5 + mask, -1)
            x = x + self.out((weights @ v).transpose(1, 2).reshape(n, length, width))
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class Transformer(nn.Module):
        def __init__(self, tokens=1000, width=256, heads=4, layers=4, length=128):
            super().__init__()
            self.embedding = nn.Embedding(tokens, width)
            self.position = nn.Parameter(torch.randn(length, width) * 0.02)
            self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
            self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, tokens)
            self.register_buffer("mask", torch.full((length, length), -1e9).triu(1))

        def forward(self, tokens):
            x = self.embedding(tokens) + self.position
            for block in self.blocks:
                x = block(x, self.mask)
            return self.out(self.norm(x))

    def transformer():
        after = torch.randint(0, 1000, (1024,))
        return Transformer(), torch.randint(0, 1000, (8, 128)), lambda z: F.cross_entropy(z.view(-1, 1000), after)

    flops = 6 * 1024 * (4 * 12 * 256 * 256 + 256 * 1000) + 4 * 3 * 2 * 2 * 8 * 128 * 128 * 256
    training("train_transformer", "4L d256 h4 s128 b8 adam", transformer, "adam", flops)
    training("train_transformer_foreach", "4L d256 h4 s128 b8 adam", transformer, "adam_foreach", flops)
    inference("infer_transformer", "4L d256 h4 s128 b8", transformer, flops / 3)

    class Lstm(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.LSTM(256, 256)

        def forward(self, x):
            return self.layer(x)[0]

    def lstm():
        return Lstm(), normal(64, 32, 256), lambda h: (h * h).mean()

    flops = 2 * 64 * 32 * 4 * 256 * 512
    training("train_lstm", "h256 s64 b32 sgd", lstm, "sgd", 3 * flops)
    inference("infer_lstm", "h256 s64 b32", lstm, flops)

    plain("dispatch_add", "10", [(10,), (10,)], lambda a, b: a + b)

    def ten(x):
        return torch.tanh(torch.sin(x) * torch.exp(-x) + x * x) / (1.0 + torch.cos(x) * x)

    for suffix, f in (("", ten), ("_jit", torch.jit.script(ten))):
        @with_gradients("grad_scalar10" + suffix, "10 ops")
        def _(f=f):
            x = torch.tensor(0.7, requires_grad=True)
            return lambda: torch.autograd.grad(f(x), x)

    square = [(4096, 4096)]
    plain("sum_axis0", "4096^2", square, lambda x: x.sum(0), bytes=4 * 4096**2)
    plain("sum_axis1", "4096^2", square, lambda x: x.sum(1), bytes=4 * 4096**2)
    plain("transpose", "4096^2", square, lambda x: x.t().contiguous(), bytes=8 * 4096**2)
    million = [(1_000_000,)]
    plain("sort", "1M", million, torch.sort)
    plain("argsort", "1M", million, torch.argsort)
    plain("topk", "1M k100", million, lambda x: torch.topk(x, 100))
    for suffix, take in (("", lambda t, i: t[i]), ("_take", lambda t, i: torch.index_select(t, 0, i))):
        @without_gradients("gather_rows" + suffix, "100k of 1Mx64", bytes=2 * 100_000 * 256)
        def _(take=take):
            table, rows = normal(1_000_000, 64), torch.randint(0, 1_000_000, (100_000,))
            return lambda: take(table, rows)

    plain("normal", "10M", [], lambda: torch.randn(LARGE))
    plain("uniform", "10M", [], lambda: torch.rand(LARGE))

    def linalg(workload, params, operands, f):
        @without_gradients(workload, params)
        def _():
            xs = operands()
            return lambda: f(*xs)

    def positive():
        a = normal(256, 64, 64)
        return a @ a.transpose(1, 2) + 64 * torch.eye(64)

    def symmetric():
        m = normal(512, 512)
        return (m + m.T) / 2

    linalg("inv_batched", "256x64x64", lambda: [positive()], torch.linalg.inv)
    linalg("cholesky_batched", "256x64x64", lambda: [positive()], torch.linalg.cholesky)
    linalg("svd", "512", lambda: [normal(512, 512)], torch.linalg.svd)
    linalg("eigh", "512", lambda: [symmetric()], torch.linalg.eigh)
    linalg("solve", "1024", lambda: [normal(1024, 1024) + 32 * torch.eye(1024), normal(1024)], torch.linalg.solve)

    sys.dont_write_bytecode = True  # beside the sources
    from examples_torch import add_examples

    add_examples(with_gradients)


# ---- the clock: the rules of case.cc ----

SHORTEST_TIMING = 0.2e-3


def timing(run, inner):
    start = time.perf_counter()
    for _ in range(inner):
        run()
    return (time.perf_counter() - start) / inner


def measure(workload, params, amount, run, seconds):
    run()
    once = timing(run, 1)
    warm_up = time.perf_counter() + seconds / 3
    while time.perf_counter() < warm_up:
        once = timing(run, 1)
    inner = max(1, int(SHORTEST_TIMING / max(once, 1e-9)))
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 2000 and (not times or time.perf_counter() < end or (len(times) < 3 and once < seconds)):
        times.append(timing(run, inner))
    times.sort()
    median = 1e3 * times[len(times) // 2]
    rates = "".join(f"{n / median / 1e6:.1f} {unit}; " for unit, n in amount.items() if n)
    return f"{median:.5g},{rates}min {1e3 * times[0]:.4g}; n {len(times)}"


class Prepared:
    """Operands are kept for as long as the same workload is asked about."""

    def __init__(self):
        self.key, self.run = None, None

    def line(self, entry):
        workload, params, amount, prepare = entry
        try:
            if self.key != (workload, params):
                self.key, self.run = None, None
                self.run = prepare()
                self.key = (workload, params)
            rest = measure(workload, params, amount, self.run, OPTIONS.seconds)
        except Exception as error:  # the other workloads go on
            rest = "NaN,FAILED " + str(error).replace("\n", " ")
        return f"{OPTIONS.peer},{workload},{params},{OPTIONS.threads},{rest}"


def name(entry):
    return f"{OPTIONS.peer},{entry[0]},{entry[1]}"


def main():
    {"numpy": numpy_cases, "torch": torch_cases}[OPTIONS.peer]()
    prepared = Prepared()
    if OPTIONS.serve:
        by_name = {name(c): c for c in CASES}
        for asked in sys.stdin:
            print(prepared.line(by_name[asked.rstrip("\n")]), flush=True)
        return
    for entry in CASES:
        if re.search(OPTIONS.only, name(entry)):
            print(name(entry) if OPTIONS.list else prepared.line(entry), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=("numpy", "torch"))
    parser.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", "1")))
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--serve", action="store_true")
    OPTIONS = parser.parse_args()
    main()
