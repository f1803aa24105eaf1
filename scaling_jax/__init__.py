"""From a text file, or anyone's runs, to a scaling law with honest error bars.

Three lines give a law with intervals:

>>> import numpy as np, scaling_jax as sj
>>> N, D = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 5),
...                                        np.geomspace(1e9, 1e11, 5)))
>>> loss = sj.simulate(sj.published.BESIROGLU, N, D, noise=0.001, seed=0)
>>> fit = sj.fit_chinchilla(N, D, loss, bootstrap=sj.Bootstrap(draws=200))
>>> fit.status, bool(abs(fit.params['alpha'] - 0.3478) < 0.05)
(<Status.OK: 'ok'>, True)

Everything is imported when it is first used: `import scaling_jax` itself pulls
neither JAX nor matplotlib.
"""

import importlib
from typing import Any

__version__ = '0.1.0'

# What each public name is, by the module that holds it.
_PUBLIC = {
  'Allocation': 'analysis.fitting.result',
  'Analysis': 'analysis.study.analyze',
  'BatchRun': 'analysis.fitting.steps_to_loss',
  'Bootstrap': 'analysis.fitting.bootstrap',
  'Diagnostics': 'analysis.fitting.result',
  'FitResult': 'analysis.fitting.result',
  'Interval': 'analysis.fitting.result',
  'LossCurve': 'analysis.fitting.smoothing',
  'Machine': 'planner.api',
  'Objective': 'analysis.fitting.objective',
  'Options': 'analysis.study.results',
  'Run': 'records',
  'Runs': 'analysis.runs.table',
  'Status': 'analysis.fitting.result',
  'Table': 'tables',
  'UserError': 'errors',
  'analyze': 'analysis.study.analyze',
  'design': 'planner.api',
  'fit_chinchilla': 'analysis.study.fits',
  'fit_critical_batch': 'analysis.study.fits',
  'fit_envelope': 'analysis.study.fits',
  'fit_isoflop': 'analysis.study.fits',
  'fit_kaplan': 'analysis.study.fits',
  'fit_power_law': 'analysis.study.fits',
  'load_analysis': 'analysis.study.schema',
  'load_fit': 'analysis.fitting.codec',
  'plan': 'planner.api',
  'read_points': 'analysis.runs.points',
  'read_runs': 'analysis.runs.run_folders',
  'run_experiment': 'experiments',
  'simulate': 'analysis.fitting.simulate',
  'write_report': 'analysis.report.page',
}
_MODULES = ('budget', 'formatting', 'laws', 'published', 'records', 'tables')

__all__ = [*_PUBLIC, *_MODULES]


def __getattr__(name: str) -> Any:
  if name in _MODULES:
    return importlib.import_module(f'scaling_jax.{name}')
  if name not in _PUBLIC:
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
  module = importlib.import_module(f'scaling_jax.{_PUBLIC[name]}')
  value = getattr(module, name)
  globals()[name] = value
  return value


def __dir__() -> list[str]:
  return sorted({*globals(), *__all__})
