"""How big a model is, what it costs, and what a compute budget buys.

Plain arithmetic, without JAX. `N` is the number of non-embedding parameters,
`D` of tokens, `C` of FLOPs, `S` of steps.
"""

import math
import re
from typing import NamedTuple

from scaling_jax import formatting
from scaling_jax.errors import UserError


class Shape(NamedTuple):
  """The three numbers that tell the models of a family apart."""

  n_layer: int
  n_head: int
  n_embd: int


FAMILY = {
  'gpt-0': Shape(2, 2, 96),
  'gpt-1': Shape(4, 4, 96),
  'gpt-2': Shape(9, 8, 96),
  'gpt-3': Shape(10, 8, 128),
  'gpt-4': Shape(20, 16, 128),
}

_LAYERS_BY_WIDTH = re.compile(r'(\d+)x(\d+)(?:h(\d+))?')
_HEAD_WIDTH = 16


def model_shape(name: str) -> Shape:
  """The shape behind a model's name.

  Args:
    name: one of `FAMILY`, or LAYERSxWIDTH such as '2x64', whose heads are 16
      wide, or LAYERSxWIDTHhHEADS such as '2x64h2'.

  Raises:
    UserError: the name is neither.
  """
  if name in FAMILY:
    return FAMILY[name]
  match = _LAYERS_BY_WIDTH.fullmatch(name)
  if not match:
    raise UserError(
      f'unknown model {name!r}: it must be one of {", ".join(FAMILY)} or'
      ' LAYERSxWIDTH; try gpt-0 or 2x64'
    )
  n_layer, n_embd, n_head = match.groups()
  width = int(n_embd)
  heads = int(n_head) if n_head else max(1, width // _HEAD_WIDTH)
  return check_shape(Shape(int(n_layer), heads, width))


def check_shape(shape: Shape) -> Shape:
  """Returns `shape` if a model can be built from it, else raises UserError."""
  for field, value in shape._asdict().items():
    if value < 1:
      raise UserError(f'{field}={value} must be at least 1; try {field}=2')
  if shape.n_embd % shape.n_head:
    below = [h for h in range(1, shape.n_head + 1) if not shape.n_embd % h]
    raise UserError(
      f'n_embd={shape.n_embd} must divide by n_head={shape.n_head}; try'
      f' n_head={below[-1]} or n_embd='
      f'{math.ceil(shape.n_embd / shape.n_head) * shape.n_head}'
    )
  return shape


def shape_name(shape: Shape) -> str:
  """The name that `model_shape` reads as this shape."""
  for name, known in FAMILY.items():
    if shape == known:
      return name
  name = f'{shape.n_layer}x{shape.n_embd}'
  return name if model_shape(name) == shape else f'{name}h{shape.n_head}'


def shape_near(N: float, embeddings: int = 0) -> Shape:
  """A GPT of about N parameters, as wide for its depth as usual.

  GPT-2's small model and all of nanochat's have 64 channels a layer, GPT-3's
  largest have 128 (Brown et al. 2020, table 2.1), here from 3e9 parameters on;
  loss hardly depends on it (Kaplan et al. 2020, section 3.1). Heads are 16 wide
  below 256 channels, as this family's, then 64, and 128 from 2048 on.

  Args:
    N: the count to come near. The smallest shape is 1x16, with 3,120 parameters
      and its embeddings.
    embeddings: rows of the embeddings that N counts, vocab_size + block_size;
      0 where it counts none.
  """

  channels_a_layer = 64 if N < 3e9 else 128

  def fit(n_layer: int) -> tuple[float, Shape]:
    # 12 n_layer M² + embeddings M = N, solved without a difference of the like.
    root = math.sqrt(embeddings**2 + 48 * n_layer * N)
    M = 2 * N / (embeddings + root)
    head = 16 if M < 256 else 64 if M < 2048 else 128
    M = head * max(1, round(M / head))
    shape = Shape(n_layer, M // head, M)
    off = abs(math.log(count_parameters(shape, 0, embeddings).total / N))
    return off + 0.1 * abs(math.log(M / n_layer / channels_a_layer)), shape

  deepest = max(2, round(4 * (N / 12 / channels_a_layer**2) ** (1 / 3)))
  return min(fit(n_layer) for n_layer in range(1, deepest + 1))[1]


class Parameters(NamedTuple):
  """Parameter counts by group; the head is tied to `wte` and counts once."""

  wte: int
  wpe: int
  attention: int
  mlp: int
  norms: int

  @property
  def N(self) -> int:
    """Non-embedding parameters: all but both embeddings."""
    return self.attention + self.mlp + self.norms

  @property
  def N_without_positions(self) -> int:
    """All but the position embedding, as nanoGPT counts."""
    return self.N + self.wte

  @property
  def total(self) -> int:
    return self.N + self.wte + self.wpe


def count_parameters(
  shape: Shape, block_size: int, vocab_size: int, bias: bool = False
) -> Parameters:
  """Counts a GPT's parameters by closed form.

  Without biases N = n_layer (12 n_embd² + 2 n_embd) + n_embd.
  """
  layers, M = shape.n_layer, shape.n_embd
  return Parameters(
    wte=vocab_size * M,
    wpe=block_size * M,
    attention=layers * (4 * M * M + 4 * M * bias),
    mlp=layers * (8 * M * M + 5 * M * bias),
    norms=(2 * layers + 1) * M * (1 + bias),
  )


def flops_per_token(shape: Shape, block_size: int, vocab_size: int) -> int:
  """FLOPs to train on one token, every matrix product counted.

  Forward, a layer's four projections cost 24 n_embd², its attention 4 T n_embd
  (scores and weighted sum, over the whole context as it is computed, not the
  causal half), the head 2 V n_embd. Backward costs twice that. A multiply-add
  counts as two. Elementwise work and lookups are omitted.
  """
  M = shape.n_embd
  forward = shape.n_layer * (24 * M * M + 4 * block_size * M)
  return 3 * (forward + 2 * vocab_size * M)


def hoffmann_flops_per_token(
  shape: Shape, block_size: int, vocab_size: int
) -> int:
  """FLOPs to train on one token as Hoffmann et al. (2022) count them.

  To `flops_per_token` it adds the embedding as a product with one-hot vectors,
  2 V n_embd forward, and the softmax, 3 n_head T forward in each layer
  (arXiv 2203.15556, appendix F). This follows the appendix' text; the ratios of
  its table A4 come out only without embedding and head.
  """
  softmax = 3 * shape.n_head * block_size
  forward = 2 * vocab_size * shape.n_embd + shape.n_layer * softmax
  return flops_per_token(shape, block_size, vocab_size) + 3 * forward


class Plan(NamedTuple):
  """What a budget buys for one model.

  Attributes:
    C: FLOPs asked for.
    N: non-embedding parameters.
    D: tokens trained on, S steps of whole batches.
    S: steps.
  """

  C: float
  N: int
  D: int
  S: int

  @property
  def flops_6ND(self) -> float:
    return 6.0 * self.N * self.D

  @property
  def tokens_per_param(self) -> float:
    return self.D / self.N


def plan(
  N: int, tokens_per_step: int, C: float | None = None, steps: int | None = None
) -> Plan:
  """Turns a compute budget into steps: S = ceil(C / (6 N tokens_per_step)).

  Args:
    N: non-embedding parameters.
    tokens_per_step: tokens in one update.
    C: FLOPs to spend; unused where `steps` is given.
    steps: a number of steps to take instead; the plan's C is then 6 N D.

  Raises:
    UserError: neither is positive, or C does not pay for one step.
  """
  step_flops = 6 * N * tokens_per_step
  if steps is not None:
    if steps < 1:
      raise UserError(f'steps={steps} must be at least 1; try steps=100')
    return Plan(float(step_flops * steps), N, steps * tokens_per_step, steps)
  if C is None or not math.isfinite(C) or C <= 0:
    raise UserError(
      f'C={C} must be a positive number of FLOPs; try C=6e13, or set steps'
    )
  if step_flops > C:
    raise UserError(
      f'C={formatting.flops(C)} FLOPs is too small for one step of'
      f' {formatting.flops(step_flops)} FLOPs (6 · {formatting.whole(N)}'
      f' parameters · {formatting.whole(tokens_per_step)} tokens); try a smaller'
      f' model or batch, or C={formatting.scientific(step_flops * 100, 1)}'
    )
  S = math.ceil(C / step_flops)
  return Plan(float(C), N, S * tokens_per_step, S)
