"""The figures of Kaplan's laws; they follow `figures`' rules."""

from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
import numpy as np

from scaling_jax import laws
from scaling_jax.analysis import drawing
from scaling_jax.analysis.drawing import Fits

Part = dict[str, Any]

_PF_DAYS = 'C, PF-days'
_PF_DAYS_MIN = 'C_min, PF-days'


def L_N(ax: Axes, fits: Fits) -> str:
  """Final loss against N on one amount of text."""
  return _loss_line(ax, fits, 'kaplan_L_N', 'N', drawing.LABELS['N'])


def L_D(ax: Axes, fits: Fits) -> str:
  """Final loss against the text there was, at one N."""
  return _loss_line(ax, fits, 'kaplan_L_D', 'D', drawing.LABELS['D'])


def N_opt(ax: Axes, fits: Fits) -> str:
  return _growth(ax, fits, 'kaplan_N_opt', _PF_DAYS, drawing.LABELS['N_opt'])


def N_opt_Cmin(ax: Axes, fits: Fits) -> str:
  label = drawing.LABELS['N_opt']
  return _growth(ax, fits, 'kaplan_N_opt_Cmin', _PF_DAYS_MIN, label)


def B_Cmin(ax: Axes, fits: Fits) -> str:
  return _growth(ax, fits, 'kaplan_B_Cmin', _PF_DAYS_MIN, 'B_crit, tokens')


def S_Cmin(ax: Axes, fits: Fits) -> str:
  return _growth(ax, fits, 'kaplan_S_Cmin', _PF_DAYS_MIN, 'S_min, steps')


def L_C(ax: Axes, fits: Fits) -> str:
  return _hull(ax, fits, 'kaplan_L_C', _PF_DAYS)


def L_Cmin(ax: Axes, fits: Fits) -> str:
  return _hull(ax, fits, 'kaplan_L_Cmin', _PF_DAYS_MIN)


def L_ND(ax: Axes, fits: Fits) -> str:
  """Loss against D, a line for each N."""
  return _family(ax, fits, 'kaplan_L_ND', 'D', laws.Kaplan)


def L_NS(ax: Axes, fits: Fits) -> str:
  """Loss against S_min along whole curves, a line for each N."""
  return _family(ax, fits, 'kaplan_L_NS', 'S', laws.KaplanSteps)


def _note(ax: Axes, part: Part) -> None:
  """What speaks against a law, or keeps it from being one."""
  said = list(part.get('notes') or [])
  if not drawing.ok(part):
    said.insert(0, f'{part["status"]}: {part["sentence"]}')
  drawing.note(ax, said)


def _band(ax: Axes, part: Part, label: str) -> None:
  """The fitted line with its interval."""
  line = part.get('line') or []
  if not drawing.ok(part) or not line:
    return
  x = [at['x'] for at in line]
  ax.plot(
    x, [at['y']['value'] for at in line], color=drawing.VERMILLION,
    label=label, gid='law', zorder=3,
  )  # fmt: skip
  ends = [drawing.interval(at['y']) for at in line]
  known = [(a, e) for a, e in zip(x, ends) if e is not None]
  if known:
    ax.fill_between(
      [a for a, _ in known], [e[0] for _, e in known], [e[1] for _, e in known],
      color=drawing.VERMILLION, alpha=0.15, linewidth=0, gid='law-interval',
      zorder=1,
    )  # fmt: skip


def _points(ax: Axes, part: Part) -> tuple[np.ndarray, np.ndarray]:
  x, y = np.array(part['points']).T
  ax.plot(
    x, y, 'o', color=drawing.BLUE, markeredgecolor='white', gid='points',
    markeredgewidth=0.6, zorder=4,
  )  # fmt: skip
  return x, y


def _power_line(
  ax: Axes,
  part: Part,
  label: str,
  axes: tuple[str, str],
  x_text: Callable[[float], str],
  narrow: bool,
) -> bool:
  """Points and their line on two log axes; False where there are no points.

  Args:
    ax, part: what to draw where.
    label: of the line.
    axes: labels of x and y.
    x_text: of the ticks.
    narrow: whether y is a loss, which moves by little.
  """
  if len(part.get('points') or ()) < 2:
    return False
  drawing.dress(ax, *axes)
  x, y = _points(ax, part)
  _band(ax, part, label)
  drawing.log_axis(ax, 'x', *drawing.log_range(x), x_text)
  ends = [
    at['y'][end] for at in part.get('line') or () for end in ('low', 'high')
  ]
  low, high = drawing.log_range(y, ends)
  if narrow:
    # A third of a decade around, as for counts, would make losses one line.
    span = max(np.ptp(np.log(y)), 1e-3)
    low, high = y.min() * np.exp(-span / 3), y.max() * np.exp(span / 3)
  drawing.log_axis(
    ax, 'y', low, high, '{:.3g}'.format if narrow else drawing.count
  )
  if drawing.ok(part):
    ax.legend(loc='lower left', bbox_to_anchor=(0, 1.0), frameon=False)
  _note(ax, part)
  return True


def _loss_line(ax: Axes, fits: Fits, name: str, x: str, x_label: str) -> str:
  part = drawing.law_of(fits, name)
  exponent = drawing.with_interval(part[f'alpha_{x}']) if part else ''
  label = f'({x}_c/{x})^{exponent}'
  axes = (x_label, drawing.loss_label(fits))
  if not part or not _power_line(ax, part, label, axes, drawing.count, True):
    return ''
  text = f'Loss of {len(part["points"])} runs against {x}'
  if not drawing.ok(part):
    return f'{text}, without a law: {part["sentence"]}.'
  return (
    f'{text} and the line ({x}_c/{x})^alpha with alpha {exponent} and {x}_c'
    f' {drawing.with_interval(part[f"{x}_c"])}.'
  )


def _growth(ax: Axes, fits: Fits, name: str, x_label: str, y_label: str) -> str:
  part = drawing.law_of(fits, name)
  quantity, compute = y_label.partition(',')[0], x_label.partition(',')[0]
  exponent = drawing.with_interval(part['exponent']) if part else ''
  label = f'{quantity} ∝ {compute}^{exponent}'
  if not part or not _power_line(
    ax, part, label, (x_label, y_label), drawing.power, False
  ):
    return ''
  text = (
    f'{quantity} against {compute} of the {len(part["points"])} models that have'
    ' their best on the lower hull'
  )
  if not drawing.ok(part):
    return f'{text}, without a law: {part["sentence"]}.'
  return f'{text}: it grows as {compute}^{exponent}.'


def _hull(ax: Axes, fits: Fits, name: str, x_label: str) -> str:
  """Curves, their lower hull, the models on it and the line through those."""
  part = drawing.law_of(fits, name)
  curves = part.get('curves') or []
  if len(curves) < 2:
    return ''
  unit = laws.FLOPS_PER_PF_DAY
  drawing.dress(ax, x_label, drawing.loss_label(fits))
  mappable = drawing.colours_of_N([c['N'] for c in curves])
  for c in curves:
    ax.plot(
      np.array(c['C']) / unit, c['L'], color=mappable.to_rgba(c['N']),
      linewidth=0.9, gid=f'curve-{c["run_id"]}',
    )  # fmt: skip
  drawing.bar_of_N(ax, mappable)
  ax.plot(
    np.array(part['hull']['C']) / unit, part['hull']['L'], '--', zorder=3,
    color=drawing.GREY, linewidth=1.2, label='lower hull', gid='hull',
  )  # fmt: skip
  for inside, label in ((True, 'best on the hull'), (False, 'left out')):
    own = [t for t in part['touches'] if t['inside'] is inside]
    if not own:
      continue
    ax.plot(
      [t['C'] / unit for t in own], [t['L'] for t in own], 'o', zorder=5,
      color=drawing.BLACK if inside else 'white', markersize=5, label=label,
      markeredgecolor=drawing.BLACK, markeredgewidth=0.8,
      gid='touches' if inside else 'ends',
    )  # fmt: skip
  exponent = drawing.with_interval(part['alpha_C'])
  _band(ax, part, f'alpha_C {exponent}')
  Cs = [C / unit for c in curves for C in (c['C'][0], c['C'][-1])]
  Ls = [L for c in curves for L in c['L']]
  drawing.log_axis(ax, 'x', *drawing.log_range(Cs, pad=0.03), drawing.power)
  drawing.log_axis(ax, 'y', *drawing.log_range(Ls, pad=0.03), '{:.3g}'.format)
  ax.legend(
    loc='lower left', bbox_to_anchor=(0, 1.0), frameon=False, ncols=2
  )  # fmt: skip
  _note(ax, part)
  compute = x_label.partition(',')[0]
  text = f'Loss of {len(curves)} training curves against {compute}'
  if not drawing.ok(part):
    return f'{text} and their lower hull, without a law: {part["sentence"]}.'
  inner = sum(t['inside'] for t in part['touches'])
  return (
    f'{text}, their lower hull, and the line through the {inner} models that'
    f' have their best there: alpha_C {exponent}.'
  )


def _family(ax: Axes, fits: Fits, name: str, x: str, kind) -> str:
  """Loss against D or S_min in points, and a law's line for each N."""
  part = drawing.law_of(fits, name)
  points = part.get('points') or []
  if not points:
    return ''
  label = drawing.LABELS['D'] if x == 'D' else 'S_min, steps'
  drawing.dress(ax, label, drawing.loss_label(fits))
  Ns = sorted({p['N'] for p in points})
  mappable = drawing.colours_of_N(Ns)
  law = None
  if drawing.ok(part):
    law = kind(*(part[field]['value'] for field in kind._fields))
  for i, N in enumerate(Ns):
    own = sorted((p for p in points if p['N'] == N), key=lambda p: p[x])
    color = mappable.to_rgba(N)
    ax.plot(
      [p[x] for p in own], [p['L'] for p in own], linestyle='none',
      marker=drawing.marker(i), markersize=4, color=color, gid=f'points-{N:g}',
      markeredgecolor='white', markeredgewidth=0.4, zorder=4,
    )  # fmt: skip
    if law is not None:
      at = np.geomspace(own[0][x], own[-1][x], 60)
      ax.plot(at, law.loss(N, at), color=color, linewidth=1, gid=f'law-{N:g}')
  if len(Ns) > 1:
    drawing.bar_of_N(ax, mappable)
  drawing.log_axis(
    ax, 'x', *drawing.log_range([p[x] for p in points]), drawing.count
  )  # fmt: skip
  Ls = [p['L'] for p in points]
  drawing.log_axis(ax, 'y', *drawing.log_range(Ls, pad=0.04), '{:.3g}'.format)
  _note(ax, part)
  text = f'Loss against {label.partition(",")[0]} for {len(Ns)} sizes'
  if law is None:
    return f'{text}, without a law: {part["sentence"]}.'
  said = ', '.join(
    f'{field} {drawing.with_interval(part[field])}' for field in kind._fields
  )
  return f'{text}, and the fitted law with {said}.'


def steps_and_tokens(ax: Axes, fits: Fits) -> str:
  """Steps against tokens to each loss, and the hyperbola through them."""
  part = drawing.law_of(fits, 'critical_batch')
  losses = [at for at in part.get('losses') or [] if at['batches']]
  if not losses:
    return ''
  drawing.dress(ax, 'S, steps to the loss', 'E, tokens to the loss')
  S = [b['S'] for at in losses for b in at['batches']]
  E = [b['S'] * b['B'] for at in losses for b in at['batches']]
  S_range, E_range = drawing.log_range(S), drawing.log_range(E)
  drawing.log_axis(ax, 'x', *S_range, drawing.count)
  drawing.log_axis(ax, 'y', *E_range, drawing.count)
  for i, at in enumerate(losses):
    color = drawing.ordered(i, len(losses))
    good = drawing.ok(at)
    ax.plot(
      [b['S'] for b in at['batches']],
      [b['S'] * b['B'] for b in at['batches']],
      linestyle='none', marker=drawing.marker(i), markersize=4.5, zorder=4,
      color=color if good else 'white', markeredgecolor=color,
      label=f'{at["L"]:.3g}' + ('' if good else ', left out'),
      gid=f'loss-{i}',
    )  # fmt: skip
    if good:
      _hyperbola(ax, at, S_range, color, f'hyperbola-{i}')
  drawing.legend_beside(ax, title=drawing.loss_label(fits))
  n_good = sum(drawing.ok(at) for at in losses)
  return (
    f'Steps and tokens that each batch size needs to {len(losses)} losses; the'
    f' hyperbola is identified at {n_good} of them.'
  )


def _hyperbola(
  ax: Axes, at: Part, S_range: Sequence[float], color, gid
) -> None:
  """E = E_min / (1 - S_min/S), of which S_min and E_min are the ends."""
  S_min, E_min = at['S_min']['value'], at['E_min']['value']
  S = S_min * (1 + np.geomspace(1e-3, S_range[1] / S_min, 400))
  E = E_min * S / (S - S_min)
  ax.plot(S, E, color=color, linewidth=1, gid=gid, zorder=2)


def critical_batch(ax: Axes, fits: Fits) -> str:
  """B_crit against the loss, and the power law through it."""
  part = drawing.law_of(fits, 'critical_batch')
  losses = [at for at in part.get('losses') or [] if drawing.ok(at)]
  if not losses:
    return ''
  drawing.dress(ax, drawing.loss_label(fits), 'B_crit, tokens')
  for i, at in enumerate(losses):
    drawing.estimate_mark(
      ax, at['L'], at['B_crit'], along='y', color=drawing.BLUE, marker='o',
      gid=f'loss-{i}',
    )  # fmt: skip
  _band(ax, part, f'B* / L^(1/{drawing.with_interval(part["alpha_B"])})')
  B = [at['B_crit']['value'] for at in losses]
  ends = [at['B_crit'][end] for at in losses for end in ('low', 'high')]
  L = [at['L'] for at in losses]
  drawing.log_axis(ax, 'x', *drawing.log_range(L, pad=0.1), '{:.3g}'.format)
  ax.invert_xaxis()  # as training goes
  drawing.log_axis(ax, 'y', *drawing.log_range(B, ends), drawing.count)
  if drawing.ok(part):
    ax.legend(loc='lower left', bbox_to_anchor=(0, 1.0), frameon=False)
  _note(ax, part)
  text = f'The critical batch at {len(losses)} losses'
  if not drawing.ok(part):
    return f'{text}, without a law: {part["sentence"]}.'
  return (
    f'{text}, and the law B*/L^(1/alpha_B) with B*'
    f' {drawing.with_interval(part["B_star"])} and alpha_B'
    f' {drawing.with_interval(part["alpha_B"])}.'
  )


FIGURES: dict[str, Callable[[Axes, Fits], str]] = {
  'kaplan_L_N': L_N,
  'kaplan_L_D': L_D,
  'kaplan_L_ND': L_ND,
  'kaplan_L_C': L_C,
  'kaplan_N_opt': N_opt,
  'critical_batch_steps': steps_and_tokens,
  'critical_batch': critical_batch,
  'kaplan_L_Cmin': L_Cmin,
  'kaplan_N_opt_Cmin': N_opt_Cmin,
  'kaplan_B_Cmin': B_Cmin,
  'kaplan_S_Cmin': S_Cmin,
  'kaplan_L_NS': L_NS,
}
