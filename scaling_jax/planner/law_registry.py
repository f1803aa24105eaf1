"""Laws by what a person calls them: a name, a fits.json, a fit, an analysis."""

import collections
from collections.abc import Sequence
import os
from typing import TYPE_CHECKING, TypeAlias

from etils import epath

from scaling_jax import errors
from scaling_jax.analysis.fitting.result import FitResult
from scaling_jax.errors import UserError
from scaling_jax.planner import published_laws
from scaling_jax.planner.law import Law

if TYPE_CHECKING:
  from scaling_jax.analysis.study.analyze import Analysis

NAMES = published_laws.NAMES

LawLike: TypeAlias = 'str | os.PathLike[str] | FitResult | Analysis | Law'


def law_of(given: LawLike, number: int = 1) -> Law:
  """A published law by its name, or one's own.

  Args:
    given: one of `NAMES`; the path of a fits.json or of its folder; a fit of
      Hoffmann's approaches; an Analysis, whose headline counts; or a Law.
    number: of fits and analyses that have no name of their own.

  Raises:
    UserError: there is no such law, no such file, or no law in it is ok.

  >>> found = law_of('besiroglu').optimum(C=5.76e23)
  >>> print(f'{found.N.value:.3g} parameters on {found.D.value:.3g} tokens')
  7.22e+10 parameters on 1.33e+12 tokens
  """
  if isinstance(given, Law):
    return given
  if isinstance(given, (str, os.PathLike)):
    return _named(os.fspath(given))
  from scaling_jax.planner import fitted_law

  suffix = '' if number == 1 else f'-{number}'
  if isinstance(given, FitResult):
    return fitted_law.of_fit(given, f'fit{suffix}')
  return fitted_law.of_analysis(given, f'analysis{suffix}')


def laws_of(given: 'LawLike | Sequence[LawLike]') -> list[Law]:
  """Each of the laws, with a name of its own.

  Raises:
    UserError: none is given, one can't be read, or two have one name.
  """
  several: list[LawLike] = (
    list(given)
    if isinstance(given, Sequence) and not isinstance(given, str)
    else [given]
  )
  if not several:
    raise UserError(
      f'law= is empty: it must name a law; try law={",".join(NAMES)}'
    )
  unnamed = 0
  found = []
  for one in several:
    unnamed += not isinstance(one, (str, os.PathLike, Law))
    found.append(law_of(one, unnamed))
  counts = collections.Counter(law.name for law in found)
  twice = [name for name, n in counts.items() if n > 1]
  if twice:
    raise UserError(
      f'law={",".join(map(str, several))} has two laws of the name {twice[0]}:'
      ' each must have its own, which is the folder of a fits.json; drop one'
    )
  return found


def _named(name: str) -> Law:
  if name.lower() in NAMES:
    return published_laws.published_law(name.lower())
  path = epath.Path(name).expanduser()
  if path.suffix == '.json' or path.exists():
    from scaling_jax.analysis.study import schema
    from scaling_jax.planner import fitted_law

    file = path / schema.NAME if path.is_dir() else path
    return fitted_law.of_analysis(
      schema.load_analysis(file), _name_of(file), str(file)
    )
  near = errors.suggest(name.lower(), NAMES) or ['besiroglu']
  raise UserError(
    f'law={name} is not known: it must be one of {", ".join(NAMES)}, or the'
    f' fits.json of an analysis; try law={" or law=".join(near)}'
  )


def _name_of(path: epath.Path) -> str:
  """The experiment's, as in runs/quickstart/report/fits.json."""
  folders = [p.name for p in path.resolve().parents if p.name != 'report']
  return next(filter(None, folders), 'own')
