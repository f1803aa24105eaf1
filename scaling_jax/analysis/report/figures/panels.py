"""A law by itself, in four panels."""

from collections.abc import Sequence

from matplotlib.axes import Axes
import numpy as np

from scaling_jax import drawing
from scaling_jax import formatting
from scaling_jax import laws
from scaling_jax import published
from scaling_jax.analysis.messages import figures as messages
from scaling_jax.analysis.report.figures.law import rounded
from scaling_jax.analysis.study.analyze import Analysis

_GRID = 60  # points of a surface along each side
_LINE = 49  # of a line

# Marker, and where the name goes in points: the latter two share one spot.
_MARKS = {
  'GPT-3': ('s', (-7, 7)),
  'Chinchilla': ('D', (10, -7)),
  'LLaMA-65B': ('^', (2, -20)),
}
_MODELS = [published.BY_NAME[name] for name in _MARKS]
_NO_RUNS = np.empty((0, 3))


def law_panels(axes: Sequence[Axes], analysis: Analysis) -> str:
  """The fitted law over its runs and a decade around."""
  fit, runs = analysis.chinchilla, analysis.counted
  if not fit.ok:
    return ''
  return panels(
    axes,
    fit.law,
    'The parametric law',
    runs_CND=np.column_stack([runs.C, runs.N, runs.D]),
    cost=fit.cost,
    loss_label=messages.loss_label(runs.unit),
  )


def panels(
  axes: Sequence[Axes],
  law: laws.Chinchilla,
  name: str,
  *,
  runs_CND: np.ndarray = _NO_RUNS,
  cost: laws.Cost = laws.SIX_ND,
  loss_label: str = 'L, nats/token',
) -> str:
  """Draws any law; returns the alt text.

  Loss against N and against D, the frontier N_opt(C) with three models that
  were trained, and the loss over C and N.

  Args:
    axes: four of them.
    law: closed form.
    name: opens the alt text.
    runs_CND: [n, 3] C, N and D of runs; the panels cover them and a decade
      around.
    cost: what compute buys.
    loss_label: of the loss and its unit.
  """
  C, N, D = runs_CND.T
  N_range = _decades(N, (1e7, 1e12))
  D_range = _decades(D, (1e9, 1e13))
  C_range = _decades(C, (1e18, 1e26))
  _slices(axes[0], law, ('N', N_range), ('D', D_range), loss_label)
  _slices(axes[1], law, ('D', D_range), ('N', N_range), loss_label)
  text = _frontier(axes[2], law, cost, C_range, (C, N))
  _landscape(axes[3], law, cost, (C_range, N_range), (C, N))
  for letter, ax in zip('abcd', axes):
    ax.set_title(letter, loc='left', fontsize=9, fontweight='bold')
  return messages.law_panels(name, text)


def _decades(values: np.ndarray, otherwise: drawing.Range) -> drawing.Range:
  if not len(values):
    return otherwise
  return float(min(values)) / 10, float(max(values)) * 10


def _slices(
  ax: Axes,
  law: laws.Chinchilla,
  x_axis: tuple[str, drawing.Range],
  several: tuple[str, drawing.Range],
  loss_label: str,
) -> None:
  """Loss across one of N and D, a line for each of five of the other."""
  (across, x_range), (along, z_range) = x_axis, several
  x = np.geomspace(*x_range, _LINE)
  drawing.dress(ax, drawing.LABELS[across], loss_label)
  top = -np.inf
  for i, exact in enumerate(np.geomspace(*z_range, 5)):
    z = float(f'{exact:.1g}')
    loss = law.loss(x, z) if across == 'N' else law.loss(z, x)
    top = max(top, float(np.max(loss)))
    ax.plot(
      x, loss, color=drawing.ordered(i, 5), label=formatting.short(z),
      linestyle=('-', '--', '-.', ':', (0, (5, 1, 1, 1, 1, 1)))[i],
      gid=f'{along}-{i}',
    )  # fmt: skip
  ax.axhline(law.E, color=drawing.BLACK, linewidth=0.8, gid='floor')
  ax.annotate(
    f'E = {formatting.number(law.E, 3)}', (0, law.E),
    xycoords=('axes fraction', 'data'), xytext=(3, -9),
    textcoords='offset points', fontsize=7,
  )  # fmt: skip
  ax.set_ylim(law.E - 0.09 * (top - law.E), top + 0.03 * (top - law.E))
  drawing.log_axis(ax, 'x', x_range, formatting.short)
  title = {'N': 'N,\nparameters', 'D': 'D,\ntokens'}[along]
  drawing.legend_beside(ax, title=title, fontsize=7, title_fontsize=7)


def _frontier(
  ax: Axes,
  law: laws.Chinchilla,
  cost: laws.Cost,
  C_range: drawing.Range,
  runs: tuple[np.ndarray, np.ndarray],
) -> str:
  """N_opt against C from the runs' budgets to the largest of the models."""
  end = max(C_range[1], 1e27)
  C = np.geomspace(C_range[0], end, _LINE)
  N = np.asarray(law.optimum(C, cost).N)
  drawing.dress(ax, drawing.LABELS['C'], drawing.LABELS['N_opt'])
  drawing.log_axis(ax, 'x', (C_range[0], end), drawing.flops)
  Ns = [*N, *(m.N for m in _MODELS), *runs[1]]
  drawing.log_axis(ax, 'y', drawing.log_range(Ns), formatting.short)
  largest = float(max(runs[0], default=end))
  tried = largest >= C
  ax.plot(C, N, '--', color=drawing.VERMILLION, linewidth=1.2, gid='beyond')
  ax.plot(C[tried], N[tried], color=drawing.VERMILLION, gid='frontier')
  _runs(ax, runs)
  for model in _MODELS:
    marker, offset = _MARKS[model.name]
    ax.plot(
      [model.C], [model.N], marker=marker, linestyle='none', zorder=4,
      color=drawing.BLUE, markeredgecolor='white', gid=model.name,
    )  # fmt: skip
    ax.annotate(
      model.name, (model.C, model.N), xytext=offset, textcoords='offset points',
      fontsize=7, ha='right' if offset[0] < 0 else 'left', va='center',
      arrowprops={'arrowstyle': '-', 'linewidth': 0.5, 'shrinkB': 2}, zorder=5,
      bbox={'facecolor': 'white', 'edgecolor': 'none', 'pad': 0.5},
    )  # fmt: skip
  if largest * 100 < min(m.C for m in _MODELS):
    last = int(np.flatnonzero(tried)[-1])
    return messages.frontier_far_below(
      (C[0], N[0]), (C[last], N[last]), [*_MARKS]
    )
  return messages.frontier_of_models(
    [(m.name, m.N, float(law.optimum(m.C, cost).N)) for m in _MODELS]
  )


def _landscape(
  ax: Axes,
  law: laws.Chinchilla,
  cost: laws.Cost,
  limits: tuple[drawing.Range, drawing.Range],
  runs: tuple[np.ndarray, np.ndarray],
) -> None:
  """Contours of the loss over C and N, on the tokens that C buys."""
  C_range, N_range = limits
  C, N = np.geomspace(*C_range, _GRID), np.geomspace(*N_range, _GRID)
  loss_NC = law.loss(N[:, None], cost.tokens(N[:, None], C[None, :]))
  best = law.optimum(C, cost)
  # Levels that the frontier meets at even steps of compute.
  met = np.asarray(law.optimum(np.geomspace(*C_range, 11), cost).L)
  drawing.dress(ax, drawing.LABELS['C'], drawing.LABELS['N'])
  drawing.log_axis(ax, 'x', C_range, drawing.flops)
  drawing.log_axis(ax, 'y', N_range, formatting.short)
  drawn = ax.contour(
    C, N, loss_NC, rounded(met), cmap=drawing.ORDERED, linewidths=1
  )
  ax.clabel(drawn, fmt='%g', fontsize=6.5, colors='#333333')
  ax.plot(C, best.N, color=drawing.VERMILLION, linestyle='--', gid='frontier')
  _runs(ax, runs)


def _runs(ax: Axes, runs: tuple[np.ndarray, np.ndarray]) -> None:
  C, N = runs
  if len(C):
    ax.plot(C, N, '.', markersize=4, color=drawing.GREY, gid='runs', zorder=1.5)
