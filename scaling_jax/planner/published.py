"""Published models against the laws: what they lost to their size."""

from collections.abc import Sequence
from typing import Any

from scaling_jax.planner import known
from scaling_jax.published_models import MODELS
from scaling_jax.published_models import Published

Model = dict[str, Any]


def compare(laws: Sequence[known.Law]) -> dict[str, Any]:
  """Every model by every law that states a loss, in plain numbers.

  Returns:
    models: name, year, N, D, C = 6 N D, tokens_per_param, source.
    laws: name -> title and a row for each model: the loss as built; the optimum
      at the same C and the loss there; the least compute that reaches the loss
      as built; and the share of C that is more than that.
  """
  return {
    'models': [
      {**m._asdict(), 'C': m.C, 'tokens_per_param': m.D / m.N} for m in MODELS
    ],
    'laws': {
      law.name: {
        'title': law.title,
        'unit': law.unit,
        'rows': [_row(law, m) for m in MODELS],
      }
      for law in laws
      if law.law is not None
    },
  }


def _row(law: known.Law, model: Published) -> Model:
  formula = law.law
  assert formula is not None
  L = law.loss(model.N, model.D)
  assert L is not None and L['value'] is not None
  best = formula.optimum(model.C)
  least = formula.compute_for_loss(L['value'])
  return {
    'name': model.name,
    'L': L,
    'N_opt': float(best.N),
    'D_opt': float(best.D),
    'L_opt': law.loss(float(best.N), float(best.D)),
    'C_least': float(least.C),
    'wasted': max(0.0, 1 - float(least.C) / model.C),
  }
