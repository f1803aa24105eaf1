"""What a run's loss is comparable on: its text, its tokens, its context.

Losses of two texts, tokenizers or contexts are of two laws, never of one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
import dataclasses
from typing import NamedTuple

from scaling_jax.analysis.messages import runs as messages
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs.table import Runs
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.records import Run

_HASH = 8  # hex digits that tell texts of one name apart, as people read them


# What losses are not comparable without, and what a column of it is.
_NAMED = {'name': Role.TEXT, 'tokenizer': Role.TOKENIZER}


class Identity(NamedTuple):
  """What a loss is of; '' and 0 where that is not told.

  Attributes:
    name: of the corpus.
    text: what it is, by content; it counts before the name.
    tokenizer: of it.
    vocab_size: kinds of tokens.
    block_size: tokens of context.
    lacks: which of the others its table has no column of.
  """

  name: str = ''
  text: str = ''
  tokenizer: str = ''
  vocab_size: int = 0
  block_size: int = 0
  lacks: frozenset[str] = frozenset()

  def agrees(self, other: 'Identity') -> bool:
    """Whether nothing that both tell differs.

    Of two tables, one of which names the text and the other has no column of
    it, nobody knows that they are of one.

    >>> poetry = Identity('poetry', block_size=32)
    >>> poetry.agrees(Identity('poetry', vocab_size=66))
    True
    >>> poetry.agrees(Identity('poetry', block_size=64))
    False
    """
    told = [{f for f in _NAMED if getattr(x, f)} for x in (self, other)]
    if told[0] & other.lacks or told[1] & self.lacks:
      return False
    if not _same_text(self, other):
      return False
    pairs = zip(self[2:5], other[2:5])
    return all(not a or not b or _alike(a, b) for a, b in pairs)

  def __str__(self) -> str:
    text = f'{self.name} ({_short(self.text)})' if self.text else self.name
    kinds = messages.kinds_of_tokens(self.vocab_size)
    context = messages.context(self.block_size)
    return ', '.join(filter(None, (text, self.tokenizer, kinds, context)))


def corpus_of(run: Run) -> Identity:
  """What a run's loss is comparable on.

  >>> one = corpus_of(Run('a', dataset='poetry', vocab_size=66, block_size=32))
  >>> str(one)
  'poetry, 66 kinds of tokens, context 32'
  """
  return Identity(
    name=run.dataset,
    text=run.text,
    tokenizer=run.tokenizer,
    vocab_size=run.vocab_size,
    block_size=run.block_size,
  )


def studies(runs: Runs) -> dict[str, list[int]]:
  """Runs that one law can be of, by a label that tells them apart.

  What a run does not tell agrees with whatever others do: it belongs to their
  study, unless it might belong to several; then it is of one of its own. So it
  is where its table has no column of the text or tokenizer that others name.

  Returns:
    Indices of the runs in order, each once; studies in the order of their
    first runs.

  >>> runs = Runs(tuple(
  ...   Run(f'{name}{i}', dataset=name, C=6e15, N=1e6, D=1e9, val_loss=3.0)
  ...   for name in ('prose', 'verse') for i in range(2)
  ... ))
  >>> studies(runs)
  {'prose': [0, 1], 'verse': [2, 3]}
  """
  told = [corpus_of(run) for run in runs]
  if runs.format:  # they were read, and not made
    told = [
      one._replace(lacks=_lacking(one, run, extra))
      for one, run, extra in zip(told, runs, runs.extra)
    ]
  of = _grouped(told)
  order = list({id(of[one]): of[one] for one in told}.values())
  labels = _labels([group.merged for group in order])
  return {
    label: [i for i, one in enumerate(told) if of[one] is group]
    for label, group in zip(labels, order)
  }


def _lacking(
  one: Identity, run: Run, extra: Mapping[str, str]
) -> frozenset[str]:
  """What a run's table has no column of."""
  of = {found.role for found in map(roles.meaning, extra) if found}
  if run.dataset and Role.TEXT not in of:  # a record of ours
    return frozenset()
  return frozenset(
    field
    for field, role in _NAMED.items()
    if not getattr(one, field) and role not in of
  )


@dataclasses.dataclass(eq=False)
class _Group:
  """Identities that agree with one another.

  Attributes:
    merged: what any of them tells.
    names: of the corpus; one text may lie in several folders.
    unclear: whether they might as well belong to other groups.
  """

  merged: Identity
  names: set[str]
  unclear: bool = False

  def agrees(self, one: Identity) -> bool:
    mine = self.merged
    if one.name in self.names:
      one = one._replace(name=mine.name)
    return mine.agrees(one)

  def add(self, one: Identity) -> None:
    self.names |= {one.name} - {''}
    self.merged = Identity._make(a or b for a, b in zip(self.merged, one))


def _grouped(told: Iterable[Identity]) -> dict[Identity, _Group]:
  groups: list[_Group] = []
  of: dict[Identity, _Group] = {}
  # Those that tell the most come first: the others have to find theirs.
  for one in sorted(dict.fromkeys(told), key=_tells, reverse=True):
    fits = [group for group in groups if group.agrees(one)]
    several = len(fits) > 1
    if several:
      fits = [group for group in fits if group.unclear]
    if not fits:
      fits = [_Group(one, {one.name} - {''}, unclear=several)]
      groups += fits
    fits[0].add(one)
    of[one] = fits[0]
  return of


def _tells(one: Identity) -> tuple[bool, int]:
  return bool(one.text), sum(map(bool, one[:5]))


def _same_text(one: Identity, other: Identity) -> bool:
  if one.text and other.text:
    return one.text == other.text
  return not one.name or not other.name or _alike(one.name, other.name)


def _alike(one: object, other: object) -> bool:
  """Whether two values are one but for the case of their letters."""
  return str(one).strip().casefold() == str(other).strip().casefold()


def _short(text: str) -> str:
  return f'{text[:_HASH]}…' if len(text) > _HASH else text


def _labels(groups: Sequence[Identity]) -> list[str]:
  """A label for each: the corpus, and what else it takes to tell it apart."""
  parts: tuple[Callable[[Identity], str], ...] = (
    lambda one: _short(one.text),
    lambda one: one.tokenizer,
    lambda one: messages.kinds_of_tokens(one.vocab_size),
    lambda one: messages.context(one.block_size),
    lambda one: one.text,
  )
  names = [one.name or messages.unnamed_corpus() for one in groups]
  shown: list[list[str]] = [[] for _ in groups]
  for part in parts:
    for name in _repeated(map(_label, names, shown)):
      alike = [i for i, x in enumerate(map(_label, names, shown)) if x == name]
      told = {i: part(groups[i]) for i in alike}
      if len(set(told.values())) > 1:
        for i, text in told.items():
          shown[i] += [text] if text else []
  final: list[str] = []
  for label in map(_label, names, shown):
    number = 1 + sum(x.partition(' #')[0] == label for x in final)
    final.append(f'{label} #{number}' if number > 1 else label)
  return final


def _label(name: str, shown: Sequence[str]) -> str:
  return f'{name} ({", ".join(shown)})' if shown else name


def _repeated(labels: Iterable[str]) -> list[str]:
  every = list(labels)
  return [x for x in dict.fromkeys(every) if every.count(x) > 1]
