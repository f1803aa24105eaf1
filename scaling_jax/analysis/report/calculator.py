"""The report's calculator: a law at any FLOPs or tokens, at any level.

The page carries the law and its draws, and calculator.js does with them what
`FitResult.optimum` does here.
"""

import base64
from collections.abc import Callable, Iterable, Sequence
import dataclasses
import math
import re
from typing import Any

import numpy as np

from scaling_jax import formatting
from scaling_jax.analysis.fitting.chinchilla import ChinchillaFit
from scaling_jax.analysis.fitting.cost_fit import CostFit
from scaling_jax.analysis.fitting.optimum import OptimumFit
from scaling_jax.analysis.fitting.result import Allocation
from scaling_jax.analysis.fitting.result import Interval
from scaling_jax.analysis.messages import calculator as messages
from scaling_jax.analysis.study.analyze import Analysis
from scaling_jax.analysis.study.results import FittedRange
from scaling_jax.costs import CostCurve

LEVELS = (0.5, 0.8, 0.95, 0.99)

_NUMBER = re.compile(r'((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([kmbt]?)')
# A comma is dropped only where it groups thousands and can be nothing else:
# many write decimals with one, and 1,5e12 must not become fifteen.
_GROUPED = re.compile(r'[1-9]\d{0,2}(,\d{3})+(\.\d*)?[kmbt]?')
_SUFFIXES = {'': 1.0, 'k': 1e3, 'm': 1e6, 'b': 1e9, 't': 1e12}
_SAME = 1e-6  # relative: what is no extrapolation but rounding

Data = dict[str, Any]  # that becomes JSON


def data(analysis: Analysis) -> Data:
  """What the page needs to calculate; approach is null where none is ok."""
  name = analysis.headline
  fitted = analysis.fitted_range(name) if name else None
  out: Data = {'approach': name, 'level': analysis.level}
  if name is None or fitted is None:
    return out
  fit = analysis.approaches[name]
  out['fitted'] = [fitted.low, fitted.high]
  out['texts'] = _texts(fitted)
  if isinstance(fit, ChinchillaFit):
    out['law'] = _chinchilla(fit)
    out['texts']['cost_extrapolated'] = _of_cost(fit.cost_fit)
  else:
    out['law'] = _power_laws(fit, fitted)
  return out


def _chinchilla(fit: ChinchillaFit) -> Data:
  """log A', log B', log E, alpha, beta, about the centers of log N and log D."""
  assert fit.point is not None
  return {
    'center': _floats(fit.center),
    'cost': _floats(map(float, fit.cost)),
    **_cost_draws(fit),
    'point': _floats(fit.point),
    'draws': encoded(fit.param_draws),
  }


def _cost_draws(fit: ChinchillaFit) -> Data:
  """Of a curved cost: level, fall and rate of each draw; models that tell it."""
  out: Data = {}
  found = fit.cost_fit
  if isinstance(fit.cost_draws, CostCurve) and len(fit.param_draws):
    out['cost_draws'] = encoded(np.stack(fit.cost_draws[1:], -1))
  if found.shaped:
    out['models'] = [found.low, found.high]
  return out


def _of_cost(found: CostFit) -> str:
  return messages.cost_extrapolated(found.low, found.high)


def _power_laws(fit: OptimumFit, fitted: FittedRange) -> Data:
  """Slopes of log N_opt and log D_opt in log C, and both at a center of it.

  float32 keeps less of a number at C = 1, which is far from the runs.
  """
  center = math.log(fitted.low * fitted.high) / 2
  lines = fit.N_opt, fit.D_opt
  points = [line.line for line in lines if line.line is not None]
  draws = [line.line_draws for line in lines if line.line_draws is not None]
  biases = [line.bias for line in lines if line.bias is not None]
  return {
    'center': center,
    'point': _floats(_at_center(points, center)),
    'draws': encoded(_at_center(draws, center)) if len(draws) == 2 else '',
    'bias': [_floats(x) for x in biases] if len(biases) == 2 else None,
  }


def _at_center(lines: Sequence[np.ndarray], center: float) -> np.ndarray:
  """[..., 2k] of k lines [..., 2], their intercepts moved to the center."""
  moved = np.array([[1.0, center], [0.0, 1.0]])
  return np.concatenate([line @ moved for line in lines], axis=-1)


def _floats(values: Iterable[float]) -> list[float]:
  return [float(x) for x in values]


def encoded(draws: np.ndarray) -> str:
  """[B, k] as base64 of little-endian float32, row by row."""
  return base64.b64encode(np.asarray(draws, '<f4').tobytes()).decode()


def _texts(fitted: FittedRange) -> dict[str, str]:
  """What the page may have to show, {x} standing for a number."""
  times = formatting.factor(3).replace('3', '{x}')
  return {
    'within': messages.within(fitted.of),
    'beyond': messages.beyond('{factor}', fitted.of),
    'below': messages.below('{factor}', fitted.of),
    'ten_times': formatting.factor(10),
    'times': times,
    'given': messages.given(),
    'no_interval': formatting.estimate(Interval(1.0)),
    'nothing': formatting.NOTHING,
    'unknown': formatting.UNKNOWN,
    'no_optimum': messages.no_optimum(),
    'no_amount': messages.no_amount(),
    'decimal_comma': messages.decimal_comma(),
  }


def levels(analysis: Analysis) -> list[float]:
  """That the page offers: the analysis' own among them."""
  return sorted({*LEVELS, analysis.level})


def optimum(analysis: Analysis) -> Allocation | None:
  """What the page shows first: the first target; None where no law is ok."""
  name = analysis.headline
  if name is None:
    return None
  C = analysis.targets[0]
  return analysis.approaches[name].optimum(C=C, level=analysis.level)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
  """A number as the page shows it.

  Attributes:
    name: of its place, title: above it.
    value, interval: as text.
    ends: ('value', x) and its ends, where they are known.
  """

  name: str
  title: str
  value: str
  interval: str
  ends: tuple[tuple[str, float], ...]


def results(best: Allocation, unit: str) -> list[Result]:
  """N, D, L, tokens per parameter and C, in this order."""

  def flops(x: float) -> str:
    return formatting.flops(x, 'unicode')

  count, number = formatting.count, formatting.number
  return [
    _result('N', 'N, parameters', best.N, count),
    _result('D', 'D, tokens', best.D, count),
    _result('L', f'L, {unit}', best.loss, number),
    _result(
      'tokens_per_param', 'Tokens per parameter', best.tokens_per_param, number
    ),
    _result('C', 'C, FLOPs', best.C, flops),
  ]


def _result(
  name: str, title: str, x: Interval, show: Callable[[float], str]
) -> Result:
  known = zip(('value', 'low', 'high'), map(float, x))
  ends = tuple((end, y) for end, y in known if math.isfinite(y))
  value, _, interval = formatting.estimate(x, show=show).partition(' [')
  if math.isfinite(x.value) and x.low == x.high:
    interval = messages.given()
  elif interval:
    interval = f'[{interval}'
  return Result(
    name=name, title=title, value=value, interval=interval, ends=ends
  )


def where(
  fitted: FittedRange,
  C: float,
  N: float | None = None,
  cost: CostFit | None = None,
) -> str:
  """Whether the law was fitted there, as the page's script tells it.

  Args:
    fitted: where it was.
    C: FLOPs that are asked for.
    N: of the optimum there.
    cost: of approach 3; None for the others, which state no cost.
  """
  text = _where(fitted, C)
  if cost is not None and N is not None and cost.extrapolated(N):
    return f'{text} {_of_cost(cost)}'
  return text


def _where(fitted: FittedRange, C: float) -> str:
  if C > fitted.high * (1 + _SAME):
    return messages.beyond(formatting.factor(C / fitted.high), fitted.of)
  if C < fitted.low * (1 - _SAME):
    return messages.below(formatting.factor(fitted.low / C), fitted.of)
  return messages.within(fitted.of)


def amount(text: str) -> float | None:
  """What people type: 1e18, 2.5e9, 10B, 3T, 1,000,000; None if no number.

  >>> amount('10B'), amount('1,000,000'), amount('1,5e12')
  (10000000000.0, 1000000.0, None)
  """
  plain = re.sub(r'[\s_]', '', text).lower()
  if _GROUPED.fullmatch(plain):
    plain = plain.replace(',', '')
  found = _NUMBER.fullmatch(plain)
  if not found:
    return None
  x = float(found[1]) * _SUFFIXES[found[2]]
  return x if 0 < x < math.inf else None


def complaint(text: str) -> str:
  """What is wrong with a text that is no amount."""
  return messages.decimal_comma() if ',' in text else messages.no_amount()
