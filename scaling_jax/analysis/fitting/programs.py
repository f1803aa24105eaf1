"""Compiled programs of few shapes, traced once a machine and not once a process.

XLA's persistent cache spares compilation; tracing a vectorized solver takes as
long as loading three of them. So what was traced is exported beside that cache
(StableHLO, by jax.export), and the next process neither traces it nor imports
the solver. Without a cache folder (`compile_cache.keep`) nothing is kept.
"""

from collections.abc import Callable, Hashable
from concurrent import futures
import functools
import hashlib
import importlib.metadata
import inspect
import os
import sys
from typing import Any

from etils import epath
import jax

Make = Callable[..., Callable]  # static arguments -> a function to compile
Options = tuple[tuple[str, Any], ...]

_SOLVERS = ('jax', 'jaxlib', 'optimistix', 'equinox', 'lineax')
_ready: dict[Hashable, futures.Future] = {}


def start(
  make: Make, static: tuple, arguments: Any, options: Options = ()
) -> futures.Future:
  """Compiles `make(*static)` for arguments of these shapes, in the background.

  Args:
    make: at the top of a module; it is called where nothing was kept.
    static: what it takes, hashable.
    arguments: a tuple of pytrees of arrays, for their shapes.
    options: of XLA's compiler, as pairs.

  Returns:
    A future of the compiled program, which takes such arguments.
  """
  leaves, tree = jax.tree.flatten(arguments)
  shapes = tuple((x.shape, str(x.dtype)) for x in leaves)
  key = (make, static, shapes, tree, options)
  if key not in _ready:
    if len(_ready) > 128:
      _ready.clear()
    function = _function(make, static, arguments, f'{shapes} {tree} {options}')
    lowered = jax.jit(function, compiler_options=dict(options)).lower(
      *arguments
    )
    _ready[key] = _compiler().submit(lowered.compile)
  return _ready[key]


def run(
  make: Make, static: tuple, arguments: Any, options: Options = ()
) -> Any:
  """Runs `make(*static)` on arguments: see `start`."""
  return start(make, static, arguments, options).result()(*arguments)


@functools.cache
def _compiler() -> futures.ThreadPoolExecutor:
  return futures.ThreadPoolExecutor(2, thread_name_prefix='compiler')


def _function(
  make: Make, static: tuple, arguments: Any, shapes: str
) -> Callable:
  """The function, or what was exported of it for these shapes."""
  path = _path(make, static, shapes)
  if path is None:
    return make(*static)
  from jax import export

  kept = _kept(path)
  if kept is not None:
    return export.deserialize(bytearray(kept)).call
  found = export.export(jax.jit(make(*static)), platforms=['cpu'])(*arguments)
  _keep(path, bytes(found.serialize()))
  return found.call


def _path(make: Make, static: tuple, shapes: str) -> epath.Path | None:
  """Where the export is kept; None where it can't be."""
  folder = getattr(jax.config, 'jax_compilation_cache_dir', None)
  names = [_name(x) for x in (make, *static)]
  if not folder or None in names:
    return None
  text = '\n'.join([_sources(), shapes, *map(str, names)])
  name = hashlib.sha256(text.encode()).hexdigest()[:32]
  return epath.Path(folder) / 'exported' / f'{name}.stablehlo'


def _name(x: Any) -> str | None:
  """What names x in every process; None where nothing does.

  A function is named by where it stands in this package, whose sources are part
  of the key.
  """
  if x is None or isinstance(x, (bool, int, float, str)):
    return repr(x)
  if isinstance(x, tuple):
    inner = [_name(one) for one in x]
    return None if None in inner else repr(inner)
  module = getattr(x, '__module__', '') or ''
  name = getattr(x, '__qualname__', '')
  ours = module.startswith(__package__ + '.') and inspect.isfunction(x)
  if ours and getattr(sys.modules.get(module), name, None) is x:
    return f'{module}.{name}'
  return None


@functools.cache
def _sources() -> str:
  """A hash of this folder's sources and of the solvers' versions."""
  found = hashlib.sha256()
  for path in sorted(epath.Path(__file__).parent.glob('*.py')):
    found.update(path.read_bytes())
  for name in _SOLVERS:
    found.update(importlib.metadata.version(name).encode())
  return found.hexdigest()


def _kept(path: epath.Path) -> bytes | None:
  """What `_keep` wrote, if it is whole."""
  try:
    text = path.read_bytes()
  except OSError:
    return None
  digest, data = text[:32], text[32:]
  return data if hashlib.sha256(data).digest() == digest else None


def _keep(path: epath.Path, data: bytes) -> None:
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f'{path.name}.{os.getpid()}')
    draft.write_bytes(hashlib.sha256(data).digest() + data)
    draft.replace(path)
  except OSError:
    pass  # a folder that can't be written costs time, and no result
