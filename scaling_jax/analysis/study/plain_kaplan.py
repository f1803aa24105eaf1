"""Kaplan's laws in plain numbers, as fits.json states them (docs/fits.md)."""

from collections.abc import Sequence
import dataclasses
from typing import Any

from scaling_jax.analysis.fitting.hyperbola import BatchTarget
from scaling_jax.analysis.fitting.kaplan import KaplanFit
from scaling_jax.analysis.fitting.power_law import PowerLawFit
from scaling_jax.analysis.study import plain
from scaling_jax.analysis.study.kaplan_study import KaplanStudy
from scaling_jax.analysis.study.kaplan_vs_chinchilla import Reading
from scaling_jax.analysis.study.plain import Plain


def laws(found: KaplanStudy, level: float) -> dict[str, Plain]:
  """Every law by its name; compute in PF-days."""
  out = {
    law.name: {
      **plain.judged(law),
      'notes': list(law.notes),
      **{name: plain.at(x, level) for name, x in law.estimates.items()},
    }
    for law in found.laws
  }
  for name, line in _lines(found).items():
    out[name]['points'] = [list(map(float, xy)) for xy in zip(line.x, line.y)]
  out['kaplan_L_ND'] |= _of_two(found.L_ND, ('N', 'D'), level)
  out['kaplan_L_C'] |= {
    'B': found.tokens_per_step,
    'touches': _touches(found.frontier),
  }
  at = found.at_critical_batch
  if at is not None:
    out['kaplan_L_NS'] |= _of_two(at.steps, ('N', 'S'), level)
    out['kaplan_L_Cmin']['touches'] = _touches(at.frontier)
  out['kaplan_consistency']['overlap'] = found.consistency.overlap(level)
  out['critical_batch'] |= {
    'n_batches': found.critical_batch.n_batches,
    'losses': [_target(x, level) for x in found.critical_batch.targets],
  }
  return out


def _lines(found: KaplanStudy) -> dict[str, PowerLawFit]:
  lines = {
    'kaplan_L_N': found.L_N,
    'kaplan_L_D': found.L_D,
    'kaplan_L_C': found.L_C,
    'kaplan_N_opt': found.N_opt,
  }
  at = found.at_critical_batch
  if at is not None:
    lines |= {
      'kaplan_L_Cmin': at.L_C,
      'kaplan_N_opt_Cmin': at.N_opt,
      'kaplan_B_Cmin': at.B_fit,
      'kaplan_S_Cmin': at.S_fit,
    }
  return lines


def _of_two(fit: KaplanFit, names: tuple[str, str], level: float) -> Plain:
  """What a law of two quantities states beside its parameters."""
  rows = zip(fit.N, fit.x, fit.L)
  return {
    **plain.diagnostics(fit.diagnostics),
    'residual_sd': plain.residual_sd(fit.residual_sd, level),
    'points': [dict(zip((*names, 'L'), map(float, row))) for row in rows],
  }


def _touches(frontier: Any) -> list[Plain]:
  return [
    {**dataclasses.asdict(touch), 'inside': touch in frontier.inner}
    for touch in frontier.touches
  ]


def _target(target: BatchTarget, level: float) -> Plain:
  rows = zip(target.B, target.S, target.learning_rate)
  return {
    'L': target.L,
    **plain.judged(target),
    **{name: plain.at(x, level) for name, x in target.estimates().items()},
    'batches': [
      dict(zip(('B', 'S', 'learning_rate'), map(float, row))) for row in rows
    ],
  }


def readings(found: Sequence[Reading], level: float) -> list[Plain]:
  return [
    {
      'name': one.name,
      'n_runs': one.n_runs,
      'exponent': plain.at(one.exponent, level),
      'moved': one.moved(found[0]),
      **plain.judged(one),
      'notes': list(one.notes),
    }
    for one in found
  ]
