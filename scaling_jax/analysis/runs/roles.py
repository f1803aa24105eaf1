"""What a column of anyone's table is, by its name: N, D, C, a loss, a status.

Case, spaces, slashes and underscores don't count, and a unit is read off the
name: params_M, Tokens (billions), val_bpb. What a name can't tell is no role.
"""

from collections.abc import Iterable
import functools
import re

from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs import vocabulary
from scaling_jax.analysis.runs.vocabulary import LossUnit
from scaling_jax.analysis.runs.vocabulary import Meaning
from scaling_jax.analysis.runs.vocabulary import Rank
from scaling_jax.analysis.runs.vocabulary import Role

_WITHOUT = frozenset(('non', 'no', 'without', 'nonemb', 'nonembedding'))
_NO_LETTER: tuple[None, frozenset[str]] = (None, frozenset())
_BRACKETS = re.compile(r'[(\[{]\s*([^)\]}]*?)\s*[)\]}]')
_OF_WHAT = frozenset(('name', 'id', 'path'))
_NAMES = (Role.TEXT, Role.TOKENIZER, Role.MODEL, Role.RUN_ID)
_FLOP_WORD = re.compile(r'[KMGTPEZkmgtpez]?FLOP[sS]?(?![a-z])')
_PREFIXED = re.compile(
  r'([kmbgtpez]|mega|giga|tera|peta|exa|zetta)(toks?|tokens?|params?|flops?)'
)


def flag_kind(name: str) -> str | None:
  """Why True in a column excludes a run; '' where False does; None: no flag.

  >>> flag_kind('has_diverged'), flag_kind('Finished'), flag_kind('lr')
  ('diverged', '', None)
  """
  if '%' in name:  # how much of it is
    return None
  joined = ''.join(columns.words(name))
  for prefix in ('is', 'has', 'was', 'did', 'run'):
    joined = joined.removeprefix(prefix) or joined
  if joined in vocabulary.FLAGS_GOOD:
    return ''
  return vocabulary.FLAGS_BAD.get(joined)


@functools.cache
def meaning(name: str) -> Meaning | None:
  """What a column is by its name; None where that tells nothing.

  >>> meaning('n_params'), meaning('Tokens (billions)').unit
  (Meaning(role=<Role.N: 'N'>, unit='', rank=<Rank.GOOD: 1>), 'billions')
  >>> meaning('val/bpb').unit, meaning('loss').rank.name, meaning('mfu')
  (<LossUnit.BITS_PER_BYTE: 'bits/byte'>, 'FAIR', None)
  """
  name = _FLOP_WORD.sub(lambda m: f' {m[0].lower()} ', name.strip())
  if name.strip() in ('N', 'D', 'C'):
    return Meaning(Role(name.strip()), rank=Rank.EXACT)
  if name == 'L':
    return Meaning(Role.LOSS, LossUnit.NATS, Rank.POOR)  # layers, too
  if flag_kind(name) is not None:
    return Meaning(Role.FLAG)
  bracket = _BRACKETS.search(name)
  stated = bracket[1] if bracket else ''
  words = columns.words(_BRACKETS.sub(' ', name))
  inside = columns.words(stated)
  if '%' in name and {*words} & vocabulary.DONE:
    return Meaning(Role.PROGRESS, '%')
  if found := _loss(words, inside):
    return found
  if {*inside} & vocabulary.TOKENS and _role(words) == Role.BATCH_SIZE:
    words = (*words, 'tokens')  # Batch size (M tokens)
  if stated and (numbers.factor(stated) is None or not words):
    # Brackets that hold no unit are part of the name: 'params (non-embedding)'.
    words, stated = (*words, *inside), ''
  return _size(name, words, stated) or _other(words) or _of_last_part(name)


def _of_last_part(name: str) -> Meaning | None:
  """The role of throughput/total_tokens or trainer.num_train_steps."""
  *before, last = (part.strip() for part in re.split(r'[/.]', name))
  if before and last.casefold() in _OF_WHAT:  # data.name is that of the data
    of = meaning('.'.join(before))
    return of if of and of.role in _NAMES else None
  found = meaning(last) if last and last != name.strip() else None
  # A letter or a loss needs what stands before it.
  alone = len(last) == 1 or (found is not None and found.role == Role.LOSS)
  return None if alone else found


def _size(name: str, words: tuple[str, ...], stated: str) -> Meaning | None:
  """A role that has a unit, which may stand at either end of the name."""
  readings = [(words, stated)]
  if not stated:
    readings = [*_without_unit(words), *readings]
  for part, unit in readings:
    role = _role(part)
    # d_k is no thousand tokens.
    if unit and len(part) == 1 and part[0] in 'ndc' and name[:1] not in 'NDC':
      continue
    if role in vocabulary.WITH_UNIT:
      return Meaning(role, unit, _rank(role, part))
  return None


def _other(words: tuple[str, ...]) -> Meaning | None:
  role = _role(words)
  if role is None and words[-1:] and words[-1] in _OF_WHAT:
    of = _role(words[:-1])  # data_path
    role = of if of in (Role.TEXT, Role.TOKENIZER) else None
  return Meaning(role, '', _rank(role, words)) if role else None


def _without_unit(words: tuple[str, ...]) -> list[tuple[tuple[str, ...], str]]:
  """A name's words but for a unit at either end, and the unit."""
  out = []
  for size in (3, 2, 1):
    rest, tail = words[:-size], ' '.join(words[-size:])
    unit = tail.removeprefix('in ')
    if rest and numbers.factor(unit) not in (None, 1.0):
      out.append((rest, unit))
  head = words[0] if words else ''
  if len(words) > 1 and numbers.factor(head) not in (None, 1.0):
    out.append((words[1:], head))
  for i, word in enumerate(words):
    found = _PREFIXED.fullmatch(word)
    if found:
      out.append(((*words[:i], found[2], *words[i + 1 :]), found[1]))
  if numbers.factor(' '.join(words)) == numbers.PFLOP_DAY:
    out.append((('compute',), 'PF-days'))
  return out


def _role(words: tuple[str, ...]) -> Role | None:
  """The role of a name's words, but for a loss."""
  found, joined = {*words}, ''.join(words)
  plain = ''.join(word for word in words if word not in vocabulary.FILLERS)
  if joined in vocabulary.JOINED:
    return vocabulary.JOINED[joined]
  if plain in vocabulary.JOINED and len(plain) > 1:
    return vocabulary.JOINED[plain]
  role, beside = vocabulary.LETTERS.get(words[0] if words else '', _NO_LETTER)
  embedding = found & vocabulary.EMBEDDING and not found & _WITHOUT
  if len(words) > 1 and found <= beside and not embedding:  # n_emb is a width
    return role
  params = found & vocabulary.PARAMS
  if found & vocabulary.TOKENS and (params or found & {'per', 'over', 'ratio'}):
    if params:
      ratio = found & {'per', 'over', 'ratio'}
      # tokens / param, but no tokens x params
      first = words[0] in vocabulary.TOKENS and not found & {'x', 'times'}
      return Role.TOKENS_PER_PARAM if ratio or first else None
    return Role.TOKENS_PER_STEP if found & vocabulary.STEP else None
  if params and not found & vocabulary.NOT_PARAMS:
    alone = found & vocabulary.EMBEDDING and not found & vocabulary.WITH_OTHERS
    return None if alone else Role.N
  # throughput/total_tokens is what was counted on the way.
  never = vocabulary.NOT_TOKENS - ({'throughput'} if 'total' in found else {''})
  if found & vocabulary.TOKENS and not found & never:
    if found & vocabulary.STEP:
      return Role.TOKENS_PER_STEP
    return Role.TEXT_TOKENS if found & vocabulary.TEXT_WORDS else Role.D
  return (
    Role.C
    if found & vocabulary.FLOPS and not found & vocabulary.NOT_FLOPS
    else None
  )


def _rank(role: Role, words: tuple[str, ...]) -> Rank:
  if role == Role.C:
    planned = {'budget', 'target', 'isoflop', 'flopsbudget', 'flopbudget'}
    return Rank.GOOD if {*words} & planned or words == ('c',) else Rank.FAIR
  if role == Role.RUN_ID:
    return Rank.GOOD if ''.join(words) in ('runid', 'id', 'uid') else Rank.FAIR
  if role in (Role.STEPS, Role.D) and {*words} & {
    'warmup',
    'eval',
    'max',
    'target',
    'planned',
  }:
    return Rank.POOR
  return Rank.GOOD


def _loss(words: tuple[str, ...], inside: tuple[str, ...]) -> Meaning | None:
  """A loss or its standard error."""
  found, joined = {*words}, ''.join((*words, *inside))
  unit = _loss_unit(words) or _loss_unit(inside)
  named = (
    found & vocabulary.LOSS
    or {'cross', 'entropy'} <= found
    or vocabulary.JOINED.get(''.join(words)) == Role.LOSS
  )
  alone = unit not in (None, LossUnit.BITS, LossUnit.NATS)
  error = bool(found & vocabulary.ERROR)
  if (error and (named or alone)) or joined in ('sem', 'stderr'):
    return Meaning(Role.SEM)
  if (
    not named
    and not alone
    and joined not in vocabulary.LOSS_UNITS.keys() - vocabulary.BARE_UNITS
  ):
    return None
  if found & vocabulary.NOT_LOSS:
    return None
  found |= {*inside}  # loss (validation)
  if found & vocabulary.VALIDATION or _starts(found, 'val', 'eval', 'test'):
    rank = Rank.GOOD
  else:
    training = found & vocabulary.TRAINING or _starts(found, 'train')
    rank = Rank.POOR if training else Rank.FAIR
  if found & vocabulary.WORSE_LOSS:
    rank = Rank(min(rank + 1, Rank.POOR))
  return Meaning(Role.LOSS, unit or LossUnit.NATS, rank)


def _starts(words: Iterable[str], *prefixes: str) -> bool:
  return any(word.startswith(prefixes) for word in words)


def _loss_unit(words: Iterable[str]) -> LossUnit | None:
  words = [*words]
  for size in (3, 2, 1):
    for i in range(len(words) - size + 1):
      found = vocabulary.LOSS_UNITS.get(''.join(words[i : i + size]))
      if found:
        return found
  return None


def loss_unit(text: str) -> LossUnit | None:
  """The unit that a text names: of a flag, or of a column of units.

  >>> loss_unit('bits per token'), loss_unit('BPB'), loss_unit('nats')
  ... # doctest: +NORMALIZE_WHITESPACE
  (<LossUnit.BITS: 'bits/token'>, <LossUnit.BITS_PER_BYTE: 'bits/byte'>,
   <LossUnit.NATS: 'nats/token'>)
  """
  return _loss_unit(columns.words(text))
