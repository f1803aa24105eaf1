"""Plans and designs as JSON: plain numbers under the keys of docs/planner.md.

An estimate is {"value", "low", "high"}; what is not known, or open, is null.
"""

import json
from typing import TYPE_CHECKING, Any

from scaling_jax import records
from scaling_jax.planner import hardware

if TYPE_CHECKING:
  from scaling_jax.analysis.fitting.result import Interval
  from scaling_jax.planner.configs import ConfigForecast
  from scaling_jax.planner.design import ApproachForecast
  from scaling_jax.planner.design import Design
  from scaling_jax.planner.models import Comparison
  from scaling_jax.planner.next_run import RunValue
  from scaling_jax.planner.next_run import RunValues
  from scaling_jax.planner.plan import LawPlan
  from scaling_jax.planner.plan import Plan

Json = dict[str, Any]

# Keys that are older than the names in the code.
_APPROACHES = {'chinchilla': 'parametric'}
_QUANTITIES = {'exponent_N': 'a', 'exponent_D': 'b'}


def dumps(body: Json) -> str:
  """Strict JSON; NaN and infinity are null."""
  return json.dumps(records.plain(body), indent=1, allow_nan=False)


def interval(found: 'Interval | None') -> dict[str, float] | None:
  if found is None:
    return None
  return dict(zip(('value', 'low', 'high'), map(float, found)))


def of_plan(plan: 'Plan') -> Json:
  there, machine, text = (
    plan.resources, plan.resources.machine, plan.resources.text
  )  # fmt: skip
  return {
    'have': {
      'limits': [limit._asdict() for limit in there.limits],
      'C': there.C,
      'flops_per_s': machine.flops_per_s if machine else None,
      'machine': str(machine) if machine else None,
      'tokens': text.unique if text else None,
      'epochs_allowed': text.epochs if text else None,
      'token': text.token._asdict() if text else None,
      'text': text.source if text else None,
    },
    'rules': plan.rules._asdict(),
    'level': plan.level,
    'laws': {name: _law_plan(law) for name, law in plan.laws.items()},
  }


def _law_plan(law: 'LawPlan') -> Json:
  return {
    'title': law.title,
    'counts': law.counts,
    'unit': law.unit,
    'binds': law.binds,
    'N': interval(law.N),
    'D': interval(law.D),
    'L': _if_stated(law.loss),
    'C': interval(law.C),
    'tokens_per_param': interval(law.tokens_per_param),
    'pf_days': interval(law.pf_days),
    'beyond': law.beyond._asdict() if law.beyond else None,
    'seconds': interval(law.seconds),
    'epochs': interval(law.epochs),
    'tokens_per_step': law.tokens_per_step,
    'S': law.S,
    'shape': law.shape._asdict() if law.shape else None,
    'notes': law.notes,
  }


def _if_stated(found: 'Interval') -> dict[str, float] | None:
  """The interval; None of a law that states no loss."""
  return None if found.value != found.value else interval(found)


def of_models(found: 'Comparison') -> Json:
  return {
    'models': [
      {**model._asdict(), 'C': model.C, 'tokens_per_param': model.D / model.N}
      for model in found.models
    ],
    'laws': {
      name: {
        'title': law.title,
        'unit': law.unit,
        'rows': [
          {
            'name': row.name,
            'L': interval(row.loss),
            'N_opt': row.N_opt,
            'D_opt': row.D_opt,
            'L_opt': interval(row.loss_opt),
            'C_least': row.C_least,
            'wasted': row.wasted,
            'beyond': row.beyond._asdict() if row.beyond else None,
          }
          for row in law.rows
        ],
      }
      for name, law in found.laws.items()
    },
  }


def of_devices() -> Json:
  rates = {name: d._asdict() for name, d in hardware.DEVICES.items()}
  return {'unit': 'TFLOP/s', 'devices': rates}


def of_config(found: 'ConfigForecast') -> Json:
  return {
    'experiment': found.experiment,
    'runs': [
      {**row._asdict(), 'shape': row.shape._asdict()} for row in found.rows
    ],
  }


def of_design(design: 'Design') -> Json:
  return {
    'settings': design.settings._asdict(),
    'laws': design.laws,
    'n_runs': design.n_runs,
    'C_total': design.C_total,
    'target': design.target,
    'approaches': {
      _APPROACHES.get(name, name): _approach(found)
      for name, found in design.approaches.items()
    },
    'budgets': [
      {
        'C': one.C,
        'n_models': one.n_models,
        'N_low': one.N_low,
        'N_high': one.N_high,
        'shows_minimum': one.shows_minimum,
        'statuses': one.statuses,
        'N_opt_low': one.N_opt_low,
        'N_opt_high': one.N_opt_high,
        'add': one.add,
      }
      for one in design.budgets
    ],
    'worth': _run_values(design.run_values),
    'notes': design.notes,
  }


def _approach(found: 'ApproachForecast') -> Json:
  def half_widths(of: 'dict[str, Interval]') -> Json:
    return {_QUANTITIES.get(name, name): interval(x) for name, x in of.items()}

  return {
    'answers': found.answers,
    'statuses': found.statuses,
    'half_widths': half_widths(found.half_widths),
    'half_widths_of_all': half_widths(found.half_widths_of_all),
  }


def _run_values(found: 'RunValues | None') -> Json:
  if found is None:
    return {}
  return {
    'runs': [
      {'run_id': one.name, 'config': one.config, **_numbers(one)}
      for one in found.runs
    ],
    'next': _to_add(found.next),
    'next_per_flop': _to_add(found.next_per_flop),
    'repeat': _to_add(found.repeat),
  }


def _to_add(one: 'RunValue | None') -> Json | None:
  if one is None:
    return None
  config = {'config': one.config} if one.config else {}
  return {'model': one.name, **config, **_numbers(one)}


def _numbers(one: 'RunValue') -> Json:
  return {
    'C': one.C, 'N': one.N, 'D': one.D, 'narrows': one.narrows,
    'per_percent': one.per_percent,
  }  # fmt: skip
