"""Published models against the laws: what they lost to their size."""

from collections.abc import Sequence
import dataclasses
import math

from scaling_jax.analysis.fitting.result import LEVEL
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.errors import UserError
from scaling_jax.planner import bounds
from scaling_jax.planner.bounds import Beyond
from scaling_jax.planner.law import Law
from scaling_jax.published import MODELS
from scaling_jax.published import PublishedModel


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ModelByLaw:
  """One model by one law.

  Attributes:
    name: of the model.
    loss: of N parameters on D tokens, as built.
    N_opt, D_opt: the best use of the same C.
    loss_opt: there.
    C_least: FLOPs, the least that reach the loss as built.
    wasted: the share of C that is more than that.
    beyond: which of C, N and D of the optimum lies the most outside the runs
      behind the law; None if none does.
  """

  name: str
  loss: Interval
  N_opt: float
  D_opt: float
  loss_opt: Interval
  C_least: float
  wasted: float
  beyond: Beyond | None


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ModelsByLaw:
  """Every model by one law.

  Attributes:
    title: of the law, with its source.
    unit: of the losses.
    rows: in the order of `Comparison.models`.
  """

  title: str
  unit: str
  rows: tuple[ModelByLaw, ...]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
  """Published models by each law that states a loss.

  Attributes:
    models: name, year, N, D and source of each.
    laws: by name.
  """

  models: tuple[PublishedModel, ...]
  laws: dict[str, ModelsByLaw]

  def to_json(self) -> str:
    """The same for machines; docs/planner.md has its fields."""
    from scaling_jax.planner import schema

    return schema.dumps(schema.of_models(self))

  def __str__(self) -> str:
    from scaling_jax.planner import tables

    return tables.models_text(self)

  def _repr_html_(self) -> str:
    from scaling_jax.planner import tables

    return ''.join(table.html() for table in tables.models_tables(self))


def compare(laws: Sequence[Law], level: float = LEVEL) -> Comparison:
  """Every model by every law that states a loss.

  Raises:
    UserError: no law does.
  """
  states = [law for law in laws if law.formula is not None]
  if not states:
    raise UserError(
      f'law={",".join(law.name for law in laws)} states no loss: models are'
      ' compared by their losses, which needs approach 3; try law=besiroglu'
    )
  return Comparison(
    models=MODELS,
    laws={
      law.name: ModelsByLaw(
        title=law.title,
        unit=law.unit,
        rows=tuple(_row(law, model, level) for model in MODELS),
      )
      for law in states
    },
  )


def _row(law: Law, model: PublishedModel, level: float) -> ModelByLaw:
  formula = law.formula
  assert formula is not None
  loss = law.loss(model.N, model.D, level)
  best = formula.optimum(model.C)
  there = Allocation(
    C=Interval(model.C), N=Interval(best.N), D=Interval(best.D)
  )
  least = float(formula.compute_for_loss(float(loss.value)).C)
  N, D = float(best.N), float(best.D)
  beyond = bounds.farthest(law, there)
  loss_opt = law.loss(N, D, level)
  if beyond and beyond.far:
    loss, loss_opt = map(bounds.without_ends, (loss, loss_opt))
  return ModelByLaw(
    name=model.name,
    loss=loss,
    N_opt=N,
    D_opt=D,
    loss_opt=loss_opt,
    C_least=least,
    wasted=max(0.0, 1 - least / model.C) if math.isfinite(least) else 0.0,
    beyond=beyond,
  )
