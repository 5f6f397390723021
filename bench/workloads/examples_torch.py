"""The training steps of examples/ on PyTorch, as its users write them: the same models, batches, dtypes and optimisers,
on random data. workloads_peers.py adds these cases to its own; suffixes of names are as there.
"""
import itertools
import math

import torch
import torch.nn.functional as F
from torch import nn

LAST = {"memory_format": torch.channels_last}


def pixels(*shape):
    return torch.randint(0, 256, shape, dtype=torch.uint8)


def ten_labels(n):
    return torch.randint(0, 10, (n,))


def accuracy(logits, labels):
    return (logits.argmax(1) == labels).float().mean().item()


def products_in(bf16):
    return torch.autocast("cpu", torch.bfloat16, enabled=bf16)


def warmup_cosine(warmup, steps):
    """The share of the highest learning rate."""
    def share(step):
        if step < warmup:
            return step / warmup
        return 0.5 + 0.5 * math.cos(math.pi * min(1, (step - warmup) / (steps - warmup)))

    return share


def stepping(loss_of, *updates, clip=None):
    """A step of optimisers, or schedules of theirs, along the gradients of loss_of()."""
    first = updates[0]
    params = [p for group in first.param_groups for p in group["params"]]

    def step():
        first.zero_grad(set_to_none=True)
        loss = loss_of()
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(params, clip)
        for update in updates:
            update.step()
        return loss.item()

    return step


# ---- images ----

def mnist(channels_last):
    model = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
                          nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
                          nn.Linear(3136, 256), nn.ReLU(), nn.Linear(256, 10))
    images, labels = pixels(128, 1, 28, 28), ten_labels(128)
    if channels_last:
        model, images = model.to(**LAST), images.to(**LAST)

    def loss():
        logits = model(images / 255)
        accuracy(logits, labels)
        return F.cross_entropy(logits, labels)

    return stepping(loss, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))


class Vae(nn.Module):
    def __init__(self, latents=20):
        super().__init__()
        self.encoder = nn.Linear(784, 500)
        self.mean, self.logvar = nn.Linear(500, latents), nn.Linear(500, latents)
        self.decoder = nn.Sequential(nn.Linear(latents, 500), nn.ReLU(), nn.Linear(500, 784))

    def forward(self, x):
        h = F.relu(self.encoder(x))
        mean, logvar = self.mean(h), self.logvar(h)
        return self.decoder(mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)), mean, logvar


def vae(foreach):
    model, images = Vae(), pixels(128, 784)

    def loss():
        x = images / 255
        logits, mean, logvar = model(x)
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum() / len(x)
        kl.item()
        return reconstruction + kl

    return stepping(loss, torch.optim.Adam(model.parameters(), lr=1e-3, foreach=foreach))


class ResNetBlock(nn.Module):
    def __init__(self, before, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, filters, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        nn.init.zeros_(self.norm2.weight)
        self.shortcut = nn.Identity()
        if stride != 1 or before != filters:
            self.shortcut = nn.Sequential(nn.Conv2d(before, filters, 1, stride, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.shortcut(x) + self.norm2(self.conv2(y)), inplace=True)


def resnet20():
    layers, before = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)], 16
    for stage in range(3):
        for i in range(3):
            layers.append(ResNetBlock(before, 16 << stage, 2 if stage > 0 and i == 0 else 1))
            before = 16 << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def augmented(images):
    """Of images[n, 32, 32, 3], each moved by up to 4 pixels and in half of the cases mirrored; all by one gather."""
    n, places = len(images), torch.arange(32)
    padded = F.pad(images, (0, 0, 4, 4, 4, 4))
    rows, columns = torch.randint(0, 9, (2, n, 1)) + places
    columns = torch.where(torch.rand(n, 1) < 0.5, columns.flip(1), columns)
    return padded[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def resnet(channels_last):
    model, images, labels = resnet20(), pixels(128, 32, 32, 3), ten_labels(128)
    if channels_last:
        model = model.to(**LAST)
    kernels = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    sgd = torch.optim.SGD([{"params": kernels, "weight_decay": 5e-4}, {"params": others}], lr=0.2, momentum=0.9,
                          nesterov=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(sgd, warmup_cosine(39, 780))

    def loss():
        x = augmented(images).permute(0, 3, 1, 2) / 127.5 - 1  # lies as channels_last wants it
        logits = model(x if channels_last else x.contiguous())
        accuracy(logits, labels)
        return F.cross_entropy(logits, labels)

    return stepping(loss, sgd, schedule)


def dpsgd(channels_last, with_functorch):
    """Private descent: a Poisson sample, the gradients of its examples, clipped, summed and drowned in noise."""
    model = nn.Sequential(nn.Conv2d(1, 16, 8, 2, padding=3), nn.Tanh(), nn.MaxPool2d(2, 1), nn.Conv2d(16, 32, 4, 2),
                          nn.Tanh(), nn.MaxPool2d(2, 1), nn.Flatten(), nn.Linear(512, 32), nn.Tanh(),
                          nn.Linear(32, 10))
    layout = LAST if channels_last else {"memory_format": torch.contiguous_format}
    model = model.to(**layout)
    all_images, all_labels, batch = pixels(60000, 1, 28, 28), ten_labels(60000), 256
    params = list(model.parameters())
    if with_functorch:
        import functorch

        apply, params = functorch.make_functional(model)

        def loss(params, image, label):
            return F.cross_entropy(apply(params, image[None]), label[None])

        each = functorch.vmap(functorch.grad(loss), (None, 0, 0))

        def gradients(images, labels):
            return each(params, images, labels)
    else:
        from torch.nn.utils._per_sample_grad import call_for_per_sample_grads

        def gradients(images, labels):
            logits = call_for_per_sample_grads(model, batch_size=len(labels))(images)
            F.cross_entropy(logits, labels, reduction="sum").backward()
            found = [p.grad_sample for p in params]
            for p in params:
                p.grad_sample = None
            return found

    def step():
        drawn = torch.nonzero(torch.rand(len(all_labels)) < batch / len(all_labels))[:, 0]
        grads = gradients((all_images[drawn] / 255).contiguous(**layout), all_labels[drawn])
        with torch.no_grad():
            norms = torch.stack([g.flatten(1).norm(dim=1) for g in grads]).norm(dim=0)
            factors = 1 / norms.clamp(min=1)
            for p, g in zip(params, grads):
                total = (factors @ g.flatten(1)).view_as(p)
                p.sub_(total.add_(torch.randn_like(p), alpha=1.3), alpha=0.5 / batch)

    return step


def seed_sweep():
    """24 perceptrons with a rate for each, as products of batches of matrices."""
    rates = torch.tensor([0.001, 0.003, 0.01, 0.03, 0.1, 0.3]).repeat_interleave(4)
    members = len(rates)
    params = [torch.randn(members, 784, 128) / 28, torch.zeros(members, 1, 128),
              torch.randn(members, 128, 10) / 128**0.5, torch.zeros(members, 1, 10)]
    velocities = [torch.zeros_like(p) for p in params]
    for p in params:
        p.requires_grad_(True)
    w1, b1, w2, b2 = params
    images, labels = pixels(128, 784), ten_labels(128).repeat(members)

    def step():
        x = (images / 255).expand(members, -1, -1)
        h = F.relu(torch.baddbmm(b1, x, w1))
        losses = F.cross_entropy(torch.baddbmm(b2, h, w2).flatten(0, 1), labels, reduction="none")
        losses = losses.view(members, -1).mean(1)
        grads = torch.autograd.grad(losses.sum(), params)
        with torch.no_grad():
            for p, v, g in zip(params, velocities, grads):
                p.addcmul_(v.mul_(0.9).add_(g), rates[:, None, None], value=-1)
        return losses.detach().min().item()

    return step


# ---- text ----

def seq2seq(foreach):
    """Characters are those of examples/seq2seq: padding, the end, "0" to "9", "+" and "="."""
    characters, padding, hidden, batch = 14, 0, 512, 256
    text = "_.0123456789+="

    def table(rows, length):
        return torch.tensor([[text.index(c) for c in row.ljust(length, "_")] for row in rows])

    pairs = torch.randint(0, 1000, (batch, 2)).tolist()
    # Read from the end to the beginning.
    questions = [f"{a}+{b}."[::-1] for a, b in pairs]
    lengths = torch.tensor([len(q) for q in questions])
    questions, answers = table(questions, 8), table([f"={a + b}." for a, b in pairs], 6)

    encoder = nn.LSTM(characters, hidden, batch_first=True)
    decoder = nn.LSTM(characters, hidden, batch_first=True)
    out = nn.Linear(hidden, characters)
    params = [*encoder.parameters(), *decoder.parameters(), *out.parameters()]
    adam = torch.optim.Adam(params, lr=4e-3, foreach=foreach)

    def one_hot(x):
        return F.one_hot(x, characters).float()

    def loss():
        packed = nn.utils.rnn.pack_padded_sequence(one_hot(questions), lengths, batch_first=True, enforce_sorted=False)
        _, state = encoder(packed)
        logits = out(decoder(one_hot(answers[:, :-1]), state)[0])
        return F.cross_entropy(logits.flatten(0, 1), answers[:, 1:].flatten(), ignore_index=padding)

    schedule = torch.optim.lr_scheduler.LambdaLR(adam, warmup_cosine(0, 10000))
    return stepping(loss, adam, schedule, clip=1.0)


def rms_norm(x):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6)


class CharBlock(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        # Query, key and value: matrices of their own for Muon, one product here.
        self.qkv = nn.Parameter(torch.randn(3, width, width) * width**-0.5)
        self.query_scale = nn.Parameter(torch.ones(width // heads))
        self.key_scale = nn.Parameter(torch.ones(width // heads))
        self.out = nn.Parameter(torch.zeros(width, width))
        self.up = nn.Parameter(torch.randn(4 * width, width) * width**-0.5)
        self.down = nn.Parameter(torch.zeros(width, 4 * width))

    def forward(self, x, cos, sin, mask):
        n, length, width = x.shape
        qkv = F.linear(rms_norm(x), self.qkv.flatten(0, 1)).view(n, length, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        # In f32: the layer's own bf16 takes seven times as long.
        q = rotated(F.layer_norm(q.float(), self.query_scale.shape, self.query_scale, eps=1e-6), cos, sin)
        k = rotated(F.layer_norm(k.float(), self.key_scale.shape, self.key_scale, eps=1e-6), cos, sin)
        weights = torch.softmax(q * (q.shape[-1]**-0.5) @ k.transpose(-1, -2) + mask, -1)
        # One mask for all heads of the batch.
        weights = weights * F.dropout(torch.ones(length, length, dtype=weights.dtype), self.dropout)
        attended = F.linear((weights @ v).transpose(1, 2).reshape(n, length, width), self.out)
        x = x + F.dropout(attended, self.dropout)
        y = F.relu(F.linear(rms_norm(x), self.up)).square()
        return x + F.dropout(F.linear(y, self.down), self.dropout)


def rotated(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)


class CharTransformer(nn.Module):
    def __init__(self, bf16, characters=65, width=256, heads=4, layers=6, length=256, dropout=0.1):
        super().__init__()
        self.bf16, self.dropout = bf16, dropout
        self.embedding = nn.Embedding(characters, width)
        self.blocks = nn.ModuleList([CharBlock(width, heads, dropout) for _ in range(layers)])
        self.head = nn.Linear(width, characters, bias=False)
        nn.init.zeros_(self.head.weight)
        dtype = torch.bfloat16 if bf16 else torch.float32
        half = width // heads // 2
        angles = torch.arange(length)[:, None] * 10000 ** (-torch.arange(half) / half)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        self.register_buffer("mask", torch.full((length, length), torch.finfo(dtype).min, dtype=dtype).triu(1))

    def forward(self, tokens):
        x = F.dropout(self.embedding(tokens), self.dropout)
        with products_in(self.bf16):
            for block in self.blocks:
                x = block(x, self.cos, self.sin, self.mask)
        return self.head(rms_norm(x))


class Muon:
    """Momentum made orthogonal by five steps of Newton and Schulz (Jordan, 2024), with steps of the size of Adam's."""

    def __init__(self, params, rate, dtype, momentum=0.95, weight_decay=0.1):
        self.params, self.rate, self.dtype = params, rate, dtype
        self.momentum, self.weight_decay = momentum, weight_decay
        self.buffers = [torch.zeros_like(p) for p in params]
        self.steps = 0

    def orthogonal(self, g):
        x = g.to(self.dtype)
        tall = x.size(0) > x.size(1)
        if tall:
            x = x.T
        x = x / (x.norm() + 1e-8)
        for _ in range(5):
            a = x @ x.T
            b = torch.addmm(a, a, a, beta=-4.7750, alpha=2.0315)
            x = torch.addmm(x, b, x, beta=3.4445)
        return x.T if tall else x

    @torch.no_grad()
    def step(self):
        rate = self.rate(self.steps)
        self.steps += 1
        for p, buffer in zip(self.params, self.buffers):
            buffer.lerp_(p.grad, 1 - self.momentum)
            direction = torch.lerp(p.grad, buffer, self.momentum)
            p.mul_(1 - rate * self.weight_decay)
            size = 0.2 * max(p.shape[-2:]) ** 0.5
            for matrix, d in [(p, direction)] if p.dim() == 2 else zip(p, direction):
                matrix.add_(self.orthogonal(d).to(p.dtype), alpha=-rate * size)


def char_lm(bf16):
    model = CharTransformer(bf16)
    windows = torch.randint(0, 65, (16, 257))
    before, after = windows[:, :-1].contiguous(), windows[:, 1:].flatten()
    share = warmup_cosine(100, 1500)
    matrices = [p for p in model.blocks.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if all(p is not m for m in matrices)]
    adam = torch.optim.AdamW(others, lr=0.01, weight_decay=0.1, foreach=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, share)
    muon = Muon(matrices, lambda step: 0.01 * share(step), torch.bfloat16 if bf16 else torch.float32)
    params = list(model.parameters())

    def step():
        for p in params:
            p.grad = None
        loss = F.cross_entropy(model(before).flatten(0, 1), after)
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        muon.step()
        adam.step()
        schedule.step()
        return loss.item()

    return step


class Attention(nn.Module):
    """Of queries to what is remembered; to themselves, by one product, where nothing is."""

    def __init__(self, width, heads, to_itself):
        super().__init__()
        self.heads = heads
        self.projections = nn.ModuleList([nn.Linear(width, 3 * width)] if to_itself else
                                         [nn.Linear(width, width), nn.Linear(width, 2 * width)])
        self.out = nn.Linear(width, width)

    def forward(self, x, mask, memory=None):
        n, length, width = x.shape
        projected = [layer(y) for layer, y in zip(self.projections, (x, memory))]
        q, k, v = (p.view(n, p.shape[1], self.heads, -1).transpose(1, 2)
                   for whole in projected for p in whole.split(width, -1))
        weights = torch.softmax(q * (q.shape[-1]**-0.5) @ k.transpose(-1, -2) + mask, -1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, length, width))


class TranslationLayer(nn.Module):
    def __init__(self, width, heads, hidden, dropout, decodes):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(3 if decodes else 2)])
        self.self_attention = Attention(width, heads, True)
        if decodes:
            self.attention = Attention(width, heads, False)
        self.feed_forward = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))

    def forward(self, x, mask, memory=None, memory_mask=None):
        x = x + self.dropout(self.self_attention(self.norms[0](x), mask))
        if memory is not None:
            x = x + self.dropout(self.attention(self.norms[1](x), memory_mask, memory))
        return x + self.dropout(self.feed_forward(self.norms[-1](x)))


class TranslationTransformer(nn.Module):
    def __init__(self, vocabulary=8000, width=256, heads=4, hidden=512, layers=3, dropout=0.3, longest=64):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        layer = (width, heads, hidden, dropout)
        self.encoder = nn.ModuleList([TranslationLayer(*layer, False) for _ in range(layers)])
        self.decoder = nn.ModuleList([TranslationLayer(*layer, True) for _ in range(layers)])
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        angles = torch.arange(longest)[:, None] * 10000 ** (-torch.arange(width // 2) / (width // 2))
        self.register_buffer("places", torch.cat((angles.sin(), angles.cos()), 1))
        self.register_buffer("causal", torch.full((longest, longest), -1e9).triu(1))

    def embedded(self, tokens):
        x = self.embedding(tokens) * self.embedding.embedding_dim**0.5
        return self.dropout(x + self.places[:tokens.shape[1]])

    def forward(self, source, target):
        unseen = torch.zeros(source.shape).masked_fill_(source == 0, -1e9)[:, None, None, :]
        x = self.embedded(source)
        for layer in self.encoder:
            x = layer(x, unseen)
        memory = self.encoder_norm(x)
        causal = self.causal[:target.shape[1], :target.shape[1]]
        x = self.embedded(target)
        for layer in self.decoder:
            x = layer(x, causal, memory, unseen)
        return F.linear(self.decoder_norm(x), self.embedding.weight)


def translate(bf16):
    model, smoothing = TranslationTransformer(), 0.1
    source, target = torch.randint(3, 8000, (102, 20)), torch.randint(3, 8000, (102, 21))
    before, after = target[:, :-1].contiguous(), target[:, 1:].flatten()
    params = list(model.parameters())
    adam = torch.optim.Adam(params, lr=2e-3, betas=(0.9, 0.98), eps=1e-9, foreach=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, warmup_cosine(600, 12000))
    averages, steps = [p.detach().clone() for p in params], 0

    def loss():
        with products_in(bf16):
            logits = model(source, before)
        return F.cross_entropy(logits.float().flatten(0, 1), after, ignore_index=0, label_smoothing=smoothing)

    descend = stepping(loss, adam, schedule)

    def step():
        nonlocal steps
        value = descend()
        steps += 1
        newest = max(1 - 0.998, 10 / (steps + 9))
        with torch.no_grad():
            torch._foreach_mul_(averages, 1 - newest)
            torch._foreach_add_(averages, params, alpha=newest)
        return value

    return step


def add_examples(case):
    """`case(workload, params)` takes what prepares a step."""
    def add(workload, params, make, *suffixes):
        for chosen in itertools.product(*[("", s) for s in suffixes]):
            case(workload + "".join(chosen), params)(lambda chosen=chosen: make(*map(bool, chosen)))

    add("example_mnist", "b128 sgdm", mnist, "_cl")
    add("example_vae", "b128 adam", vae, "_foreach")
    add("example_resnet", "20 layers b128 nesterov", resnet, "_cl")
    add("example_dpsgd", "b256 of 60000", dpsgd, "_cl", "_functorch")
    add("example_seed_sweep", "24 members b128 sgdm", seed_sweep)
    add("example_seq2seq", "h512 b256 adam", seq2seq, "_foreach")
    for workload, params, make in (("example_char_lm", "6L d256 h4 s256 b16 muon", char_lm),
                                   ("example_translate", "enc3 dec3 d256 102x20 adam", translate)):
        add(workload, params + " f32", lambda make=make: make(False))
        # Where bf16 gains nothing, its users do without.
        add(workload, params + " bf16", make, "_autocast")
