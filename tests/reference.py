"""An independent GPT in float64 NumPy: logits, gradients, AdamW updates.

Written from the definitions, layer by layer and sequence by sequence, to hold
the fast one against. Parameters are the same nested dicts; blocks are stacked.
"""

import math

import numpy as np
from scipy import special

EPSILON = 1e-5


def _linear(p, x):
  return x @ p['kernel'] + p.get('bias', 0.0)


def _linear_back(p, x, dy, g):
  g['kernel'] += x.T @ dy
  if 'bias' in g:
    g['bias'] += dy.sum(0)
  return dy @ p['kernel'].T


def _norm(p, x):
  centred = x - x.mean(-1, keepdims=True)
  std = np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
  return centred / std * p['scale'] + p.get('bias', 0.0)


def _norm_back(p, x, dy, g):
  n = x.shape[-1]
  centred = x - x.mean(-1, keepdims=True)
  std = np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
  hat = centred / std
  g['scale'] += (dy * hat).sum(0)
  if 'bias' in g:
    g['bias'] += dy.sum(0)
  dhat = dy * p['scale']
  dot = (dhat * hat).sum(-1, keepdims=True)
  return (dhat - dhat.sum(-1, keepdims=True) / n - hat * dot / n) / std


def _gelu(x):
  return x * special.ndtr(x)


def _gelu_slope(x):
  density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
  return special.ndtr(x) + x * density


def _attention_weights(q, k):
  T, K = q.shape
  scores = q @ k.T / math.sqrt(K)
  scores[np.triu_indices(T, 1)] = -np.inf
  weights = np.exp(scores - scores.max(-1, keepdims=True))
  return weights / weights.sum(-1, keepdims=True)


def _heads(qkv, n_head):
  M = qkv.shape[1] // 3
  K = M // n_head
  for h in range(n_head):
    yield tuple(slice(i * M + h * K, i * M + (h + 1) * K) for i in range(3))


def _attention(p, x, n_head):
  qkv = _linear(p['qkv'], x)
  mixed = np.zeros_like(x)
  for q, k, v in _heads(qkv, n_head):
    mixed[:, q] = _attention_weights(qkv[:, q], qkv[:, k]) @ qkv[:, v]
  return qkv, mixed


def _attention_back(p, x, dy, n_head, g):
  qkv, mixed = _attention(p, x, n_head)
  dmixed = _linear_back(p['proj'], mixed, dy, g['proj'])
  dqkv = np.zeros_like(qkv)
  for q, k, v in _heads(qkv, n_head):
    scale = 1 / math.sqrt(q.stop - q.start)
    w = _attention_weights(qkv[:, q], qkv[:, k])
    dqkv[:, v] += w.T @ dmixed[:, q]
    dw = dmixed[:, q] @ qkv[:, v].T
    dscores = w * (dw - (w * dw).sum(-1, keepdims=True)) * scale
    dqkv[:, q] += dscores @ qkv[:, k]
    dqkv[:, k] += dscores.T @ qkv[:, q]
  return _linear_back(p['qkv'], x, dqkv, g['qkv'])


def _take(tree, i):
  return {
    k: _take(v, i) if isinstance(v, dict) else v[i] for k, v in tree.items()
  }


def tree_map(f, *trees):
  if isinstance(trees[0], dict):
    return {k: tree_map(f, *(t[k] for t in trees)) for k in trees[0]}
  return f(*trees)


def leaves(tree, path=()):
  """(path, leaf) pairs of nested dicts."""
  for name, value in tree.items():
    if isinstance(value, dict):
      yield from leaves(value, (*path, name))
    else:
      yield (*path, name), value


def to_float64(params):
  return tree_map(lambda x: np.array(x, np.float64), params)


def _sequence(params, tokens, n_head, n_layer):
  """The inputs of every layer, and the logits."""
  x = (
    params['wte']['embedding'][tokens]
    + params['wpe']['embedding'][: len(tokens)]
  )
  stream = [x]
  for i in range(n_layer):
    p = _take(params['blocks'], i)
    mixed = _attention(p['attn'], _norm(p['ln_1'], x), n_head)[1]
    middle = x + _linear(p['attn']['proj'], mixed)
    hidden = _gelu(_linear(p['mlp']['fc'], _norm(p['ln_2'], middle)))
    x = middle + _linear(p['mlp']['proj'], hidden)
    stream += [middle, x]
  return stream, _norm(params['ln_f'], x) @ params['wte']['embedding'].T


def logits(params, tokens_BT, n_head):
  n_layer = len(params['blocks']['ln_1']['scale'])
  return np.stack([_sequence(params, t, n_head, n_layer)[1] for t in tokens_BT])


def loss_and_gradients(params, windows_BU, n_head):
  """The mean cross entropy in nats and its gradient."""
  n_layer = len(params['blocks']['ln_1']['scale'])
  g = tree_map(np.zeros_like, params)
  total, count = 0.0, windows_BU.shape[0] * (windows_BU.shape[1] - 1)
  for window in windows_BU.astype(int):
    tokens, targets = window[:-1], window[1:]
    stream, z = _sequence(params, tokens, n_head, n_layer)
    rows = np.arange(len(targets))
    log_sum = special.logsumexp(z, axis=-1)
    total += (log_sum - z[rows, targets]).sum()
    dz = np.exp(z - log_sum[:, None])
    dz[rows, targets] -= 1
    dz /= count
    final = _norm(params['ln_f'], stream[-1])
    g['wte']['embedding'] += dz.T @ final
    dfinal = dz @ params['wte']['embedding']
    dx = _norm_back(params['ln_f'], stream[-1], dfinal, g['ln_f'])
    for i in reversed(range(n_layer)):
      p, gi = _take(params['blocks'], i), _take(g['blocks'], i)
      x, middle = stream[2 * i], stream[2 * i + 1]
      normed = _norm(p['ln_2'], middle)
      before = _linear(p['mlp']['fc'], normed)
      dh = _linear_back(p['mlp']['proj'], _gelu(before), dx, gi['mlp']['proj'])
      dh = dh * _gelu_slope(before)
      dh = _linear_back(p['mlp']['fc'], normed, dh, gi['mlp']['fc'])
      dx = dx + _norm_back(p['ln_2'], middle, dh, gi['ln_2'])
      da = _attention_back(
        p['attn'], _norm(p['ln_1'], x), dx, n_head, gi['attn']
      )
      dx = dx + _norm_back(p['ln_1'], x, da, gi['ln_1'])
    np.add.at(g['wte']['embedding'], tokens, dx)
    g['wpe']['embedding'][: len(tokens)] += dx
  return total / count, g


def learning_rate(i, peak, floor, warmup, S):
  """nanoGPT's schedule at update i, from 0."""
  if i < warmup:
    return peak * (i + 1) / (warmup + 1)
  share = (i - warmup) / (S - warmup)
  return floor + 0.5 * (1 + math.cos(math.pi * share)) * (peak - floor)


def decays(path, leaf):
  return leaf.ndim - (path[0] == 'blocks') >= 2


class AdamW:
  """Clip by the global norm, then AdamW with decoupled decay."""

  def __init__(self, params, *, beta1, beta2, decay, clip, rate):
    self.params = params
    self.first = tree_map(np.zeros_like, params)
    self.second = tree_map(np.zeros_like, params)
    self.beta1, self.beta2, self.decay, self.clip = beta1, beta2, decay, clip
    self.rate = rate
    self.i = 0

  def update(self, gradients):
    """Changes the parameters; returns the gradient's norm before clipping."""
    norm = math.sqrt(sum((g**2).sum() for _, g in leaves(gradients)))
    shrink = min(1.0, self.clip / norm)
    rate = self.rate(self.i)
    self.i += 1
    groups = (self.params, gradients, self.first, self.second)
    for entries in zip(*(leaves(t) for t in groups)):
      (path, p), (_, g), (_, m), (_, v) = entries
      m[...] = self.beta1 * m + (1 - self.beta1) * shrink * g
      v[...] = self.beta2 * v + (1 - self.beta2) * (shrink * g) ** 2
      m_hat = m / (1 - self.beta1**self.i)
      v_hat = v / (1 - self.beta2**self.i)
      decay = self.decay if decays(path, p) else 0.0
      p[...] = p * (1 - rate * decay) - rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return norm
