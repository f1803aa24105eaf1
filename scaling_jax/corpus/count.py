"""How many tokens a text has, before it is prepared.

A folder that is prepared has the number in its meta.json. Other text is read
once: by characters as `prepare` would, or by one of tiktoken's encodings.
"""

from typing import NamedTuple

from etils import epath

from scaling_jax.corpus import dataset
from scaling_jax.corpus import prepare
from scaling_jax.corpus import sources
from scaling_jax.errors import UserError

CHAR = 'char'


class Count(NamedTuple):
  """Tokens of a text.

  Attributes:
    train: those that train: the first 90%, or as meta.json counts them.
    total: all of them.
    vocab_size: how many kinds there are.
    tokenizer: 'char', or an encoding's name.
    source: the text's name.
  """

  train: int
  total: int
  vocab_size: int
  tokenizer: str
  source: str


def count(path: epath.PathLike, tokenizer: str | None = None) -> Count:
  """Counts a text file, a folder of .txt files, or a prepared corpus.

  Args:
    path: of it.
    tokenizer: 'char', or an encoding of tiktoken's such as 'gpt2'; None for
      the one of a prepared corpus, and characters otherwise.

  Raises:
    UserError: there is no text, or no such tokenizer.
  """
  path = epath.Path(path).expanduser()
  if (path / prepare.META).exists():
    return _prepared(path, tokenizer)
  source = sources.TextSource(path)
  if tokenizer in (None, CHAR):
    characters: set[str] = set()
    total = 0
    for piece in source.pieces():
      characters.update(piece)
      total += len(piece)
    vocab_size = len(characters)
  else:
    assert tokenizer is not None
    total, vocab_size = _by_bpe(source, tokenizer)
  if not total:
    raise UserError(f'{path} is empty: it must hold text; give another file')
  train = int(total * prepare.TRAIN_SHARE)
  return Count(train, total, vocab_size, tokenizer or CHAR, path.name)


def _prepared(path: epath.Path, tokenizer: str | None) -> Count:
  meta = dataset.load_meta(path.name, path.parent)
  kind, counts = meta['tokenizer'], meta['counts']
  if tokenizer not in (None, kind):
    raise UserError(
      f'--tokenizer={tokenizer} is not the one that {path} was prepared with,'
      f' {kind!r}; drop it, or name the text itself'
    )
  total = sum(counts[split]['tokens'] for split in prepare.SPLITS)
  train = counts['train']['tokens']
  return Count(train, total, meta['vocab_size'], kind, path.name)


def _by_bpe(source: sources.TextSource, name: str) -> tuple[int, int]:
  """(tokens, vocabulary), the text cut at ends of lines."""
  encoding = _encoding(name)
  total, rest = 0, ''
  for piece in source.pieces():
    lines, newline, rest = (rest + piece).rpartition('\n')
    total += len(encoding.encode_ordinary(lines + newline))
  return total + len(encoding.encode_ordinary(rest)), encoding.n_vocab


def _encoding(name: str):
  try:
    import tiktoken
  except ImportError as error:
    raise UserError(
      f'--tokenizer={name} needs tiktoken: it is not installed; run pip install'
      ' "scaling_jax[data]", or take --tokenizer=char'
    ) from error
  try:
    return tiktoken.get_encoding(name)
  except ValueError as error:
    known = ', '.join(sorted(tiktoken.list_encoding_names()))
    raise UserError(
      f'--tokenizer={name} is not known: it must be char or one of {known}; try'
      ' --tokenizer=gpt2'
    ) from error
  except Exception as error:  # whatever a download fails with
    raise UserError(
      f'--tokenizer={name} cannot be loaded ({type(error).__name__}): its'
      ' vocabulary is downloaded once and kept in TIKTOKEN_CACHE_DIR; go online'
      ' once, or give --tokens, or take --tokenizer=char'
    ) from error
