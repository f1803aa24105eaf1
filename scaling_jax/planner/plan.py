"""What to train with what there is, law beside law."""

from collections.abc import Sequence
import dataclasses
import math
from typing import NamedTuple

from scaling_jax import budget
from scaling_jax import laws as laws_lib
from scaling_jax import published
from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.errors import UserError
from scaling_jax.planner import bounds
from scaling_jax.planner import plan_notes
from scaling_jax.planner.bounds import Beyond
from scaling_jax.planner.law import Law
from scaling_jax.planner.resources import Resources
from scaling_jax.planner.resources import Text

TOKENS_PER_PARAM = 20
_STEPS = 10_000  # the least that the batch chosen here leaves
_BATCH = (2**11, 2**22)  # tokens a step, the least and the most
_VOCAB_SIZE = 50_257  # GPT-2's, where neither text nor law has its own


class Rules(NamedTuple):
  """Rules of thumb to hold plans against, in parameters; None without.

  Attributes:
    N_at_20_tokens: twenty tokens a parameter, embeddings counted (Hoffmann et
      al. 2022, table 3).
    N_of_kaplan_bound: the largest that D >= 5e3 N^0.74 allows, embeddings not
      counted (Kaplan et al. 2020, eq. 4.4).
  """

  N_at_20_tokens: float | None
  N_of_kaplan_bound: float | None


class ModelShape(NamedTuple):
  """A model to build.

  Attributes:
    name: as `budget.model_shape` reads it.
    n_layer, n_head, n_embd: of it.
    N: non-embedding parameters.
    N_total: all of them.
    block_size: tokens of context.
    vocab_size: kinds of tokens.
  """

  name: str
  n_layer: int
  n_head: int
  n_embd: int
  N: int
  N_total: int
  block_size: int
  vocab_size: int


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class LawPlan:
  """What one law would do with what there is.

  Attributes:
    title: of the law, with its source.
    counts: which parameters N is.
    unit: of the loss.
    binds: 'tokens' or 'compute'.
    allocation: C, N, D and the loss.
    beyond: which of C, N and D lies the most outside the runs behind the law;
      None if none does. Where it is `far` no interval is stated.
    seconds: on the machine; None without one.
    epochs: over the text; None without one.
    tokens_per_step: of a batch.
    S: steps.
    shape: a model whose count, as the law counts, is near N; None where 6 N D
      is far from C, so that N is no dense model's.
    notes: what to keep in mind, a sentence each.
  """

  title: str
  counts: str
  unit: str
  binds: str
  allocation: Allocation
  beyond: Beyond | None
  seconds: Interval | None
  epochs: Interval | None
  tokens_per_step: int
  S: int
  shape: ModelShape | None
  notes: tuple[str, ...]

  @property
  def N(self) -> Interval:
    """Parameters."""
    return self.allocation.N

  @property
  def D(self) -> Interval:
    """Tokens."""
    return self.allocation.D

  @property
  def C(self) -> Interval:
    """FLOPs."""
    return self.allocation.C

  @property
  def loss(self) -> Interval:
    """In `unit`; unknown where the law states none."""
    return self.allocation.loss

  @property
  def tokens_per_param(self) -> Interval:
    """D / N."""
    return self.allocation.tokens_per_param

  @property
  def pf_days(self) -> Interval:
    """C in PF-days, of 8.64e19 FLOPs."""
    return self.C.scaled(1 / laws_lib.FLOPS_PER_PF_DAY)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
  """What to train, by each law.

  Attributes:
    resources: what there is.
    rules: of thumb.
    laws: each law's plan by its name.
    level: of the intervals.
  """

  resources: Resources
  rules: Rules
  laws: dict[str, LawPlan]
  level: float

  def to_json(self) -> str:
    """The same for machines; docs/planner.md has its fields."""
    from scaling_jax.planner import schema

    return schema.dumps(schema.of_plan(self))

  def __str__(self) -> str:
    from scaling_jax.planner import tables

    return tables.plan_text(self)

  def _repr_html_(self) -> str:
    from scaling_jax.planner import tables

    return tables.plan_html(self)


class BuildOptions(NamedTuple):
  """What a plan needs beside a law and resources.

  Attributes:
    tokens_per_step: of a batch; None for the largest power of two that leaves
      ten thousand steps, from 2^11 to 2^22.
    block_size: tokens of context, for the count of position embeddings.
    vocab_size: for the count of token embeddings; None for the text's own, or
      the law's.
    level: of the intervals.
  """

  tokens_per_step: int | None = None
  block_size: int = 1024
  vocab_size: int | None = None
  level: float = LEVEL


def make(
  resources: Resources, laws: Sequence[Law], options: BuildOptions | None = None
) -> Plan:
  """The plan of every law, side by side.

  Args:
    resources: compute, or tokens, or both.
    laws: each of another name.
    options: of the batch and of the shape.
  """
  options = options or BuildOptions()
  return Plan(
    resources=resources,
    rules=rules(resources),
    laws={law.name: _plan_of(law, resources, options) for law in laws},
    level=options.level,
  )


def rules(resources: Resources) -> Rules:
  C, text = resources.C, resources.text
  D = text.D if text else math.inf
  most = math.sqrt(C / (6 * TOKENS_PER_PARAM)) if C else math.inf
  N = min(D / TOKENS_PER_PARAM, most)
  return Rules(
    N if math.isfinite(N) else None,
    float(published.KAPLAN_TOKENS.inverse(D)) if text else None,
  )


class Choice(NamedTuple):
  """What a law would do with what there is.

  Attributes:
    found: the plan.
    worth: the compute that all the tokens are worth to the law, and the plan
      it buys; None without tokens.
    binds: 'tokens' or 'compute'.
    clipped: whether the law would rather have more tokens than there are.
  """

  found: Allocation
  worth: Allocation | None
  binds: str
  clipped: bool = False


def choose(law: Law, resources: Resources, level: float = LEVEL) -> Choice:
  """The law's best use of the tokens, or of the compute, whichever is less."""
  C, text = resources.C, resources.text
  worth = law.optimum(D=text.D, level=level) if text else None
  if worth and not math.isfinite(worth.C.value):
    worth = None  # more compute wants no more tokens
  if worth is None and C is None:
    raise UserError(
      f'law={law.name} has no best use of tokens alone,'
      ' because by it more compute wants no more tokens: the compute must be'
      ' known; try flops=1e21'
    )
  if worth and (C is None or worth.C.value <= C):
    return Choice(worth, worth, 'tokens')
  assert C is not None
  best = law.optimum(C=C, level=level)
  if text and best.D.value > text.D:
    return Choice(_all_of(law, C, text.D, level), worth, 'tokens', True)
  return Choice(best, worth, 'compute')


def _all_of(law: Law, C: float, D: float, level: float) -> Allocation:
  """All the compute on all the tokens; neither can give more."""
  N, exactly = law.params_for(C, D), Interval.exact
  return Allocation(
    C=exactly(C), N=exactly(N), D=exactly(D), loss=law.loss(N, D, level)
  )


def _plan_of(law: Law, resources: Resources, options: BuildOptions) -> LawPlan:
  choice = choose(law, resources, options.level)
  found = bounds.checked(law, choice.found)
  text, machine = resources.text, resources.machine
  N, D = float(found.N.value), float(found.D.value)
  per_step = options.tokens_per_step or batch(D)
  shape = None
  if plan_notes.is_dense(found):
    kinds = _vocabulary(law, text, options)
    shape = shape_of(law, N, options.block_size, kinds)
  return LawPlan(
    title=law.title,
    counts=law.counts,
    unit=law.unit,
    binds=choice.binds,
    allocation=found,
    beyond=bounds.farthest(law, found),
    seconds=found.C.scaled(1 / machine.flops_per_s) if machine else None,
    epochs=found.D.scaled(1 / text.unique) if text else None,
    tokens_per_step=per_step,
    S=math.ceil(D / per_step),
    shape=shape,
    notes=(
      *plan_notes.uncertain(law, found),
      *plan_notes.apart(law, found),
      *plan_notes.binding(law, resources, choice, options.level),
      *plan_notes.shape_apart(law, found, shape, per_step),
      *law.remarks(found),
      *plan_notes.worse_than_guessing(law, found),
      *plan_notes.tokens_apart(law, text),
      *plan_notes.texts_apart(law, text),
      *plan_notes.without_interval(law, found),
    ),
  )


def _vocabulary(law: Law, text: Text | None, options: BuildOptions) -> int:
  own = text.token.vocab_size if text else None
  return options.vocab_size or own or law.token.vocab_size or _VOCAB_SIZE


def batch(D: float) -> int:
  """Tokens a step: the largest power of two that leaves 10,000 steps.

  From 2^11 to 2^22: 2,048 is this family's batch, four million that of the
  largest models.

  >>> batch(73.6e6), batch(1e14)
  (4096, 4194304)
  """
  low, high = _BATCH
  wanted = 2 ** int(math.log2(max(D / _STEPS, 1)))
  return min(max(wanted, low), high)


def shape_of(
  law: Law, N: float, block_size: int, vocab_size: int
) -> ModelShape:
  """A shape whose count, as the law counts, is near N."""
  rows = block_size + vocab_size if law.with_embeddings else 0
  shape = budget.shape_near(N, rows)
  count = budget.count_parameters(shape, block_size, vocab_size)
  return ModelShape(
    budget.shape_name(shape),
    *shape,
    N=count.N,
    N_total=count.total,
    block_size=block_size,
    vocab_size=vocab_size,
  )
