"""The house: which room may import which, how long its files are."""

import ast
import functools
import pathlib
import subprocess
import sys

from absl.testing import absltest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'scaling_jax'

GROUND = (
  'budget', 'compile_cache', 'costs', 'drawing', 'errors', 'formatting',
  'laws', 'published', 'records', 'tables',
)  # fmt: skip
# Each room, and those below it that it may import besides its own.
MAY_IMPORT = {
  'ground': (),
  'corpus': ('ground',),
  'training': ('ground', 'corpus'),
  'analysis.messages': ('ground',),
  'analysis.fitting': ('ground', 'analysis.messages'),
  'analysis.runs': ('ground', 'analysis.messages', 'analysis.fitting'),
  'analysis.study': (
    'ground', 'analysis.messages', 'analysis.fitting', 'analysis.runs',
  ),
  'analysis.report': (
    'ground', 'analysis.messages', 'analysis.fitting', 'analysis.runs',
    'analysis.study',
  ),
  'planner': (
    'ground', 'corpus', 'training', 'analysis.messages', 'analysis.fitting',
    'analysis.runs', 'analysis.study',
  ),
}  # fmt: skip
# Doors: what a person calls, which may reach everything below.
DOORS = {
  'scaling_jax', 'scaling_jax.experiments', 'scaling_jax.analysis.__main__',
  'scaling_jax.analysis.flags',
}  # fmt: skip
# Of the ground, that which may not import others of it but these.
LOWEST = {
  'errors': set(),
  'costs': set(),
  'laws': {'costs'},
  'formatting': {'laws'},
  'budget': {'errors', 'formatting'},
  'published': {'laws'},
  'records': {'errors'},
  'tables': {'errors', 'formatting'},
  'compile_cache': set(),
  'drawing': {'formatting'},
}
MAX_FILE, MAX_FUNCTION = 400, 60


@functools.cache
def parsed(path: pathlib.Path) -> ast.Module:
  return ast.parse(path.read_text())


@functools.cache
def modules() -> dict[str, pathlib.Path]:
  """Dotted name -> file, of every module of the package."""
  out = {}
  for path in sorted(PACKAGE.rglob('*.py')):
    parts = path.relative_to(ROOT).with_suffix('').parts
    out['.'.join(p for p in parts if p != '__init__')] = path
  return out


def room(name: str) -> str:
  parts = name.split('.')[1:]
  if parts[0] in GROUND:
    return 'ground'
  return '.'.join(parts[:2]) if parts[0] == 'analysis' else parts[0]


def imports(path: pathlib.Path, known) -> set[str]:
  """Every module of the package that a file imports, wherever it does."""
  found = set()
  for node in ast.walk(parsed(path)):
    if isinstance(node, ast.Import):
      found |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom) and node.module:
      for alias in node.names:
        inner = f'{node.module}.{alias.name}'
        found.add(inner if inner in known else node.module)
  return {name for name in found if name in known} - {'scaling_jax'}


class HouseTest(absltest.TestCase):
  def test_arrows_run_down_only(self):
    known, wrong = modules(), []
    for name, path in known.items():
      if name in DOORS or path.name == '__init__.py':
        continue
      own = room(name)
      self.assertIn(own, MAY_IMPORT, name)
      for other in imports(path, known):
        if room(other) not in (own, *MAY_IMPORT[own]):
          wrong.append(f'{name} -> {other}')
    self.assertEmpty(wrong)

  def test_the_ground_stands_on_itself(self):
    known = modules()
    for name, may in LOWEST.items():
      found = imports(known[f'scaling_jax.{name}'], known)
      with self.subTest(name):
        self.assertLessEqual({x.split('.')[1] for x in found}, may)

  def test_no_circle(self):
    known = modules()
    below = {
      name: imports(path, known)
      for name, path in known.items()
      if name not in DOORS
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
      self.assertNotIn(name, path, ' -> '.join([*path, name]))
      if name not in done:
        for other in below.get(name, ()):
          if not _lazy(known[name], other):
            visit(other, (*path, name))
        done.add(name)

    for name in below:
      visit(name, ())

  def test_no_long_file(self):
    lines = {
      name: len(path.read_text().splitlines())
      for name, path in modules().items()
    }
    self.assertEmpty({n: long for n, long in lines.items() if long > MAX_FILE})

  def test_no_long_function(self):
    long = {}
    for name, path in modules().items():
      for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef):
          assert node.end_lineno is not None
          body = node.end_lineno - node.lineno + 1 - _docstring_lines(node)
          if body > MAX_FUNCTION:
            long[f'{name}.{node.name}'] = body
    self.assertEmpty(long)

  def test_import_is_light(self):
    said = subprocess.run(
      [
        sys.executable, '-c',
        'import sys, scaling_jax as sj; dir(sj); print(*sys.modules)',
      ],
      capture_output=True, text=True, check=True, cwd=ROOT,
    ).stdout.split()  # fmt: skip
    for heavy in ('jax', 'matplotlib', 'numpy', 'scipy', 'pandas', 'flax'):
      self.assertNotIn(heavy, said)

  def test_every_public_name_is_there(self):
    import scaling_jax

    for name in scaling_jax.__all__:
      with self.subTest(name):
        self.assertIsNotNone(getattr(scaling_jax, name))
        self.assertTrue(getattr(scaling_jax, name).__doc__)


def _lazy(path: pathlib.Path, other: str) -> bool:
  """Whether a file imports another inside functions alone."""
  tree = parsed(path)
  module, _, last = other.rpartition('.')
  for node in tree.body:
    if isinstance(node, ast.ImportFrom) and (
      node.module == other
      or (node.module == module and last in {a.name for a in node.names})
    ):
      return False
    if isinstance(node, ast.Import) and other in {a.name for a in node.names}:
      return False
  return True


def _docstring_lines(node: ast.FunctionDef) -> int:
  first = node.body[0]
  if ast.get_docstring(node) is None:
    return 0
  return (first.end_lineno or 0) - first.lineno + 1


if __name__ == '__main__':
  absltest.main()
