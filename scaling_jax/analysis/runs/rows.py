"""A row of a table as a run: what its cells are worth, and whether it counts."""

from collections.abc import Sequence
import math
import typing
from typing import Any, NamedTuple

import numpy as np

from scaling_jax.analysis.fitting.smoothing import LossCurve
from scaling_jax.analysis.messages import runs as run_messages
from scaling_jax.analysis.messages import sheets as messages
from scaling_jax.analysis.runs import columns
from scaling_jax.analysis.runs import counting
from scaling_jax.analysis.runs import losses
from scaling_jax.analysis.runs import nanochat
from scaling_jax.analysis.runs import numbers
from scaling_jax.analysis.runs import own_runs
from scaling_jax.analysis.runs import repeats
from scaling_jax.analysis.runs import roles
from scaling_jax.analysis.runs import statuses
from scaling_jax.analysis.runs import understand
from scaling_jax.analysis.runs.sheet import Line
from scaling_jax.analysis.runs.sheet import Sheet
from scaling_jax.analysis.runs.table import BITS
from scaling_jax.analysis.runs.table import NATS
from scaling_jax.analysis.runs.table import Counts
from scaling_jax.analysis.runs.table import Exclusion
from scaling_jax.analysis.runs.understand import Understanding
from scaling_jax.analysis.runs.vocabulary import SIZES
from scaling_jax.analysis.runs.vocabulary import LossUnit
from scaling_jax.analysis.runs.vocabulary import Rank
from scaling_jax.analysis.runs.vocabulary import Role
from scaling_jax.analysis.runs.wanted import Wanted
from scaling_jax.records import Run

MOST_EPOCHS = 4  # repeated data is as good as new up to here (Muennighoff 2023)
# Cells of rows below a table that sum it up.
_SUMMARIES = frozenset(('average', 'mean', 'median', 'total', 'sum', 'std'))
_WHOLE = 0.999  # of a training: less is a checkpoint


class Row(NamedTuple):
  """A run of a table.

  Attributes:
    run: its record.
    counts: how else its N and C can be counted.
    extra: the text of its other cells, by column.
    place: of the row, as people are told.
    loss: in the unit of the table.
    curve: of its losses on the way; None where they are not known.
  """

  run: Run
  counts: Counts
  extra: dict[str, str]
  place: str
  loss: float
  curve: LossCurve | None = None


class Unusable(ValueError):
  """No law can use this run; the message tells why, and `kind` a program."""

  def __init__(self, reason: str, kind: Exclusion = Exclusion.BAD_VALUE):
    super().__init__(reason)
    self.kind = kind


class Reader:
  """What is known of a sheet's columns, while its rows are read."""

  def __init__(self, sheet: Sheet, wanted: Wanted, found: Understanding):
    self.sheet, self.wanted, self.found = sheet, wanted, found
    self.unit = self._kept_unit()
    self.columns = {
      role: understand.values(sheet, taken)
      for role, taken in found.taken.items()
      if role in understand.NUMERIC
    }
    self.derived = self._derive()
    # Columns that are no extra: of our own table, all that a record holds.
    ours = own_runs.is_table(sheet)
    self.told = {*found.used, *(Run._fields if ours else ())}
    self.whole = self._whole()
    self.notes: list[str] = self._unknown_statuses()

  def _kept_unit(self) -> str:
    """The unit of the runs: of most rows, where a column of units tells."""
    own = understand.kept_unit(self.found.loss_unit)
    known = self.found.has(Role.BYTES_PER_TOKEN) and self.wanted.unit != BITS
    if own == BITS and known:
      return NATS
    if not self.found.has(Role.UNIT) or self.wanted.loss_unit is not None:
      return own
    told = [
      roles.loss_unit(self.cell(Role.UNIT, line))
      for line in self.sheet.lines
      if self.wanted.asks_for(line.cells)
    ]
    kept = [understand.kept_unit(unit) if unit else own for unit in told]
    return max(dict.fromkeys(kept), key=kept.count, default=own)

  def _derive(self) -> dict[Role, str]:
    """Fills in what follows from other columns, and says how."""
    size, out = self.columns, {}
    product = understand.derives_tokens(self.found)
    if Role.D not in size and product and len({*SIZES} & {*size}) < 2:
      size[Role.D] = np.prod([size[role] for role in product], axis=0)
      out[Role.D] = ' × '.join(map(str, product))
    if Role.C not in size:
      size[Role.C] = 6 * size[Role.N] * size[Role.D]
      out[Role.C] = '6ND'
    elif Role.N not in size:
      size[Role.N] = size[Role.C] / (6 * size[Role.D])
      out[Role.N] = 'C/6D'
    elif Role.D not in size:
      size[Role.D] = size[Role.C] / (6 * size[Role.N])
      out[Role.D] = 'C/6N'
    return out

  def _whole(self) -> float:
    """What a whole training's progress is: 1, or 100 where it is per cent."""
    if Role.PROGRESS not in self.columns:
      return 1.0
    most = np.nanmax(self.columns[Role.PROGRESS], initial=0.0)
    return 100.0 if most > 1.5 else 1.0

  def _unknown_statuses(self) -> list[str]:
    if not self.found.has(Role.STATUS):
      return []
    texts = (self.cell(Role.STATUS, line) for line in self.sheet.lines)
    unknown = {x for x in texts if not statuses.is_known(x)}
    column = self.found.taken[Role.STATUS].column
    if not unknown:
      return []
    return [messages.unknown_statuses(self.sheet.name, column, sorted(unknown))]

  def cell(self, role: Role, line: Line) -> str:
    """The text of a role; '' where it is not known."""
    if role not in self.found.taken:
      return ''
    text = self.found.taken[role].text(line.cells).strip()
    return '' if text.casefold() in numbers.MISSING else text

  def name(self, line: Line) -> str:
    return self.cell(Role.RUN_ID, line) or self.sheet.run_name(line)

  def row(self, i: int, line: Line, place: str) -> Row:
    """A line as a run; raises Unusable where it is none that counts."""
    if line.fault:
      raise Unusable(line.fault)
    self._must_be_a_run(line)
    self._must_count(i, line)
    size = {role: self._positive(role, i, line) for role in SIZES}
    loss = self._loss(i, line)
    self._must_be_new_data(i, size[Role.D])
    kinds = self._number(Role.VOCAB_SIZE, i)
    if self.unit == NATS and losses.is_worse_than_guessing(loss, kinds):
      reason = run_messages.above_guessing(loss, kinds)
      self._exclude(reason, Exclusion.DIVERGED)
    run = self._run(i, line, size, loss)
    counts = nanochat.counts(self.sheet, line.cells, run) or counting.given(
      *(size[role] for role in (Role.N, Role.D, Role.C))
    )
    extra = {
      name: text.strip()
      for name, text in line.cells.items()
      if name not in self.told
    }
    for role in (Role.TEXT, Role.TOKENIZER):  # that there is a column of it
      column = self.found.taken[role].column if self.found.has(role) else ''
      if column and column not in self.told:
        extra.setdefault(column, '')
    for name, column in self.found.given.items():
      if column in extra and name not in SIZES:
        extra[name] = extra.pop(column)
    return Row(run, counts, extra, place, loss, self._curve(run, i, line))

  def _curve(self, run: Run, i: int, line: Line) -> LossCurve | None:
    """A run's losses on the way, where a logger kept them."""
    found = self.sheet.evaluations.get(line.number)
    if found is None:
      return None
    tokens = np.asarray(found.tokens, float)
    if not np.all(np.isfinite(tokens)):
      tokens = np.asarray(found.step, float) * float(run.tokens_per_step)
    unit = self.found.loss_unit
    loss = np.array([self._in_unit(float(x), i, unit) for x in found.loss])
    good = (tokens > 0) & np.isfinite(loss) & (loss > 0)
    N, D = float(run.N), tokens[good]
    curve = LossCurve(run.run_id, N, 6 * N * D, D, loss[good])
    return curve if len(D) >= repeats.POINTS and repeats.rises(curve) else None

  def study(self, row: Row) -> tuple[str, ...]:
    """What rows have in common that count N, D and C in one way."""
    roles_of = (Role.TEXT, Role.TOKENIZER, Role.EXPERIMENT)
    named = [
      self.found.taken[role].column for role in roles_of if self.found.has(role)
    ]
    return tuple(row.extra.get(column, '') for column in named)

  def trainings(self, rows: Sequence[Row]) -> repeats.Trainings:
    """Which of the rows are checkpoints of others."""
    if not self.found.has(Role.RUN_ID):
      return repeats.Trainings({}, {})
    meaning = roles.meaning(self.found.taken[Role.RUN_ID].column)
    sure = meaning is not None and meaning.rank == Rank.GOOD
    return repeats.trainings(
      [repeats.Row(r.run, r.loss, r.extra, r.place) for r in rows],
      sure=sure,
      on_the_way=self.found.has(Role.STEPS),
      named=str(Role.RUN_ID) in self.found.given,
    )

  def _must_be_a_run(self, line: Line) -> None:
    """Raises Unusable for a row that sums others up, by what names it."""
    first = next(iter(line.cells.values()), '').strip()
    names = (first, *(self.cell(r, line) for r in (Role.RUN_ID, Role.MODEL)))
    for name in names:
      if name.casefold() in _SUMMARIES:
        raise Unusable(messages.no_run_but(name.casefold()))

  def _must_count(self, i: int, line: Line) -> None:
    """Raises Unusable for a run that is not finished, or failed."""
    text = self.cell(Role.STATUS, line)
    kind = statuses.of_status(text)
    if kind:
      self._exclude(run_messages.not_done(text), kind)
    for column in self.found.flags:
      told, wrong = statuses.truth(line.cells.get(column, '')), None
      bad = roles.flag_kind(column)
      if told and bad:
        wrong = Exclusion(bad)
      elif told is False and bad == '':
        wrong = Exclusion.UNFINISHED
      if wrong:
        self._exclude(messages.flagged(column, line.cells[column]), wrong)
    done = self._number(Role.PROGRESS, i) / self.whole
    if done < _WHOLE:
      self._exclude(messages.partly(done), Exclusion.UNFINISHED)
    steps, most = (self._number(r, i) for r in (Role.STEPS, Role.MAX_STEPS))
    if steps < _WHOLE * most and steps + 1 < most:  # the last is 999 of 1000
      self._exclude(messages.partly(steps / most), Exclusion.UNFINISHED)

  def _must_be_new_data(self, i: int, D: float) -> None:
    """Raises Unusable where the text was repeated more often than is good."""
    epochs = self._number(Role.EPOCHS, i)
    text = self._number(Role.TEXT_TOKENS, i)
    if text > 0:
      epochs = D / text
    if epochs > MOST_EPOCHS * 1.01:
      self._exclude(messages.repeated(epochs), Exclusion.REPEATED_DATA)

  def _exclude(self, reason: str, kind: Exclusion) -> None:
    if kind not in self.wanted.include:
      raise Unusable(reason, kind)

  def _number(self, role: Role, i: int) -> float:
    return float(self.columns[role][i]) if role in self.columns else math.nan

  def _positive(self, role: Role, i: int, line: Line) -> float:
    value = self._number(role, i)
    if 0 < value < math.inf:
      return value
    taken = self.found.taken.get(role)
    if taken is None:
      raise Unusable(run_messages.not_positive(str(role), value))
    column = taken.column or str(role)
    text = taken.text(line.cells).strip()
    if not text:
      raise Unusable(run_messages.empty_cell(column))
    if math.isnan(value) and text.casefold() != 'nan':
      raise Unusable(run_messages.no_number(column, text))
    raise Unusable(run_messages.not_positive(column, value))

  def _loss(self, i: int, line: Line) -> float:
    """The loss in `unit`, by the unit of its column or of its row."""
    value, unit = self._positive(Role.LOSS, i, line), self._unit_of(line)
    scaled = self._in_unit(value, i, unit)
    if math.isnan(scaled):
      raise Unusable(messages.other_unit(unit, self.unit))
    column = self.found.taken[Role.LOSS].column
    if not scaled > 0:
      raise Unusable(messages.no_perplexity(column, value))
    return scaled

  def _in_unit(self, loss: float, i: int, unit: LossUnit) -> float:
    """A row's loss in the unit of the runs; nan where that can't be done."""
    kept, scaled = understand.kept_unit(unit), losses.in_kept_unit(loss, unit)
    if kept == self.unit:
      return scaled
    if (kept, self.unit) != (BITS, NATS):
      return math.nan
    return scaled * math.log(2) * self._number(Role.BYTES_PER_TOKEN, i)

  def _unit_of(self, line: Line) -> LossUnit:
    """The unit of a row's loss, by a column of units or by the loss' own."""
    told = roles.loss_unit(self.cell(Role.UNIT, line))
    asked = self.wanted.loss_unit is not None
    return self.found.loss_unit if asked or told is None else told

  def above_guessing(self, found: Sequence[float]) -> dict[int, str]:
    """Which losses are those of no vocabulary there is, and why.

    Raises:
      UserError: most are.
    """
    if self.wanted.loss_unit is not None:
      return {}
    column = self.found.taken[Role.LOSS].column
    above = losses.above_guessing(found, self.sheet.name, column)
    kept = self.unit != NATS or Exclusion.DIVERGED in self.wanted.include
    return {} if kept else above

  def _run(
    self, i: int, line: Line, size: dict[Role, float], loss: float
  ) -> Run:
    fields = self._own_fields(line)
    per_step = self._number(Role.TOKENS_PER_STEP, i)
    S = self._number(Role.STEPS, i)
    D = size[Role.D]
    if math.isnan(per_step) and S > 0:
      per_step = D / S
    depth = columns.whole(line.cells.get('depth', ''))
    fields |= {
      'run_id': self.name(line),
      'C': size[Role.C],
      'N': size[Role.N],
      'D': D,
      'S': int(S) if S > 0 else 0,
      'tokens_per_step': per_step if per_step > 0 else math.nan,
      'tokens_per_param': D / size[Role.N],
      'status': 'done',
      'val_bpb' if self.unit == BITS else 'val_loss': loss,
      'n_layer': fields.get('n_layer') or depth,
      'model': self.cell(Role.MODEL, line)
      or (f'd{depth}' if depth and self.unit == BITS else ''),
    }
    for name, role in (
      ('seed', Role.SEED),
      ('block_size', Role.CONTEXT),
      ('vocab_size', Role.VOCAB_SIZE),
    ):
      told = columns.whole(self.cell(role, line))
      fields[name] = max(fields.get(name) or told, 0)
    sem = self._number(Role.SEM, i)
    if math.isfinite(sem):
      unit, value = self._unit_of(line), self._number(Role.LOSS, i)
      # Of ln PPL, to first order.
      logs = unit == LossUnit.PERPLEXITY
      scale = 1 / value if logs else self._in_unit(1.0, i, unit)
      fields['val_loss_sem'] = sem * scale
    text = self._number(Role.TEXT_TOKENS, i)
    if text > 0:
      fields['text_tokens'] = text
    fields['dataset'] = self.cell(Role.TEXT, line)
    fields['tokenizer'] = self.cell(Role.TOKENIZER, line)
    return Run(**fields)

  def _own_fields(self, line: Line) -> dict[str, Any]:
    """The cells of columns that are named as a Run's fields."""
    out: dict[str, Any] = {}
    for name, column in self.found.fields.items():
      text = line.cells.get(column, '').strip()
      if _HINTS[name] is str:
        out[name] = '' if text.casefold() in numbers.MISSING else text
        continue
      value = numbers.parse(text, decimal_comma=self.sheet.decimal_comma)
      if _HINTS[name] is int:
        out[name] = int(value) if math.isfinite(value) else 0
      else:
        out[name] = value if math.isfinite(value) else math.nan
    return out


_HINTS = typing.get_type_hints(Run)
