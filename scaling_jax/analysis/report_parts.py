"""The report's parts: notices, calculator, figures, laws, how runs were made."""

from collections.abc import Sequence
from typing import Any

from scaling_jax.analysis import calculator
from scaling_jax.analysis import headline
from scaling_jax.analysis import kaplan_tables
from scaling_jax.analysis import markup
from scaling_jax.analysis import verdicts
from scaling_jax.analysis import words
from scaling_jax.analysis.markup import tag

Fits = dict[str, Any]

# What each figure is called, in the order of the page.
FIGURES = {
  'isoflop': 'Loss against N at each budget',
  'optimal_N': 'N_opt against C, and beyond the runs',
  'optimal_D': 'D_opt against C, and beyond the runs',
  'envelope': 'The envelope of the training curves',
  'contours': 'The parametric law over D and N',
  'law_panels': 'The parametric law from four sides',
  'predicted': 'Fitted against measured losses',
  'residuals': 'What the parametric law leaves over',
  'exponents': 'The exponent a, by approach and by what is counted',
  'loss_curves': 'Training curves',
  'bpb_against_depth': 'Bits per byte against depth',
  'bpb_against_tokens_per_param': 'Bits per byte against tokens per parameter',
  **kaplan_tables.FIGURES,
}
_FEW = 5  # as many are listed in the open
_WIDTH = 12  # values of a setting that are listed


def notices(fits: Fits) -> str:
  """Runs that are missing from the laws: what a reader must know first."""
  entries = fits['source']['left_out']
  if not entries:
    return ''
  many = len(entries) > 1
  said = (
    f'{len(entries)} {"runs are" if many else "run is"} not in these laws,'
    f' which are fitted on {fits["source"]["n_runs"]}.'
  )
  names = markup.listed(f'{e["run_id"]}: {e["reason"]}' for e in entries)
  if len(entries) > _FEW:
    names = markup.details('Which, and why', names)
  return tag('div', markup.paragraph(said), names, class_='notice', role='note')


def spoken(answer: headline.Answer, fits: Fits) -> str:
  """The headline's sentence as HTML, its numbers set apart."""
  out = markup.text(headline.in_words(answer, fits))
  for estimate, show in (
    (answer.N, words.short),
    (answer.D, words.short),
    (answer.L, words.number),
  ):
    if estimate is not None:
      plain = words.estimate(estimate, show=show)
      shown = tag('strong', markup.number(plain))
      out = out.replace(markup.text(plain), shown, 1)
  return out


def warning(word: str, said: str) -> str:
  """A sentence that speaks against a law, marked as such."""
  return tag('p', f'{markup.badge(word)} ', markup.text(said))


def doubts(fits: Fits) -> str:
  """How the headline's law was tested, and what is known against it."""
  said = [markup.text(verdicts.tested(fits))]
  # Only losses test the intervals, and only the parametric law foretells any.
  by_loss = calculator.source(fits) == 'parametric'
  if by_loss and verdicts.narrow(fits):
    said.append(
      f'{markup.badge("too narrow")} Fewer than should: the intervals are too'
      ' narrow ahead of the runs.'
    )
  for note in fits['laws']['parametric']['notes'] if by_loss else ():
    first = note.partition(':')[0]
    said.append(
      f'{markup.text(first)}: see <a href="#shape">the shape of the law</a>.'
    )
  said.append('<a href="#trust">How far to trust it</a>')
  return tag('p', ' '.join(said), class_='tested')


def calculator_form(fits: Fits) -> str:
  """The form and its results, filled in for the first target."""
  law = calculator.data(fits)
  if law['law'] is None:
    return _no_calculator(fits)
  C = fits['source']['targets'][0]
  reading = calculator.read(law, 'C', C)
  said = [
    f'By approach {words.TITLES[law["law"]]}. Type 1e18, 2.5e9, 10B or 3T.'
  ]
  if law['law'] != 'parametric':
    status = fits['laws']['parametric']['status']
    said.append(
      f'Approach 3, parametric, is {status}: without it the loss is not known,'
      ' nor what a number of tokens calls for.'
    )
  return ''.join(
    [
      *(markup.paragraph(sentence, class_='quiet') for sentence in said),
      _form(C, bool(law['tokens'])),
      _results(reading, law),
      tag(
        'noscript',
        markup.paragraph('The calculator needs JavaScript; above is one case.'),
      ),
    ]
  )


def _no_calculator(fits: Fits) -> str:
  law = fits['laws']['parametric']
  return tag(
    'p',
    'The calculator needs a law that is ok. Approach 3, parametric: ',
    markup.badge(law['status']),
    ' ',
    markup.text(headline.sentence(law['sentence'])),
    class_='silent',
  )


def _form(C: float, with_tokens: bool) -> str:
  digits, exponent = f'{C:.3e}'.split('e')
  typed = f'{float(digits):g}e{int(exponent)}'
  choices = [
    '<label><input type="radio" name="asked" value="flops" checked'
    ' autocomplete="off"> FLOPs to spend</label>',
    '<label><input type="radio" name="asked" value="tokens"'
    f' autocomplete="off"{"" if with_tokens else " disabled"}> tokens to train'
    ' on</label>',
  ]
  return (
    '<form id="calculator"><fieldset><legend>Given</legend>'
    f'{"".join(choices)}</fieldset>'
    '<label for="amount">How many</label>'
    f'<input id="amount" type="text" value="{typed}" inputmode="text"'
    ' autocomplete="off" autocapitalize="off" spellcheck="false"'
    ' aria-describedby="said">'
    '</form>'
  )


def _results(reading: calculator.Reading | None, law: calculator.Data) -> str:
  shows = {
    'N': ('N, parameters', words.amount),
    'D': ('D, tokens', words.amount),
    'L': (f'L, {law["unit"]}', words.number),
    'tokens_per_param': ('Tokens per parameter', words.number),
    'C': ('C, FLOPs', markup.flops),
  }
  rows = []
  for name, (title, show) in shows.items():
    estimate = getattr(reading, name) if reading else None
    rows.append(_result(name, title, estimate, show))
  C = reading.C['value'] if reading else None
  said = calculator.where(law, C) if C else ''
  return tag(
    'div',
    tag('dl', *rows, class_='results'),
    markup.paragraph(said, id='said', class_='quiet'),
    role='status',
    aria_live='polite',
  )


def _result(name: str, title: str, estimate, show) -> str:
  value, interval, known = '–', '', {}
  if estimate and estimate['value'] is not None:
    known = {k: x for k, x in estimate.items() if x is not None}
    if estimate['low'] == estimate['high'] is not None:
      value, interval = show(estimate['value']), 'given'
    else:
      shown = words.estimate(estimate, show=show)
      value, _, interval = shown.partition(' [')
      interval = interval and f'[{interval}'
  return tag(
    'div',
    tag('dt', markup.text(title)),
    tag(
      'dd',
      tag('span', markup.text(value), class_='value'),
      ' ',
      tag('span', markup.text(interval), class_='interval'),
      id=f'calculated-{name}',
      **{f'data_{key}': repr(x) for key, x in known.items()},
    ),
  )


def figures(drawn: dict[str, tuple[str, str]]) -> str:
  """All that were drawn; in the order of FIGURES, then the rest."""
  names = [name for name in FIGURES if name in drawn]
  names += [name for name in drawn if name not in FIGURES]
  return ''.join(
    markup.figure(name, *drawn[name], FIGURES.get(name, name)) for name in names
  )


def laws(fits: Fits) -> str:
  """Each approach: its status, its sentence, what vouches for it."""
  found = fits['laws']
  budgets = found['isoflop']['budgets']
  good = [b for b in budgets if b['status'] == 'ok']
  certificates: dict[str, list[tuple[str, str]]] = {
    'envelope': [
      ('Training curves', str(len(found['envelope']['curves']))),
      *_exponents(found['envelope']),
    ],
    'isoflop': [
      ('Budgets with a minimum', f'{len(good)} of {len(budgets)}'),
      *_exponents(found['isoflop']),
    ],
    'parametric': _certificate(found['parametric']),
  }
  out = []
  for name, title in words.TITLES.items():
    law = found[name]
    out.append(
      tag(
        'article',
        tag('h3', f'Approach {markup.text(title)} {markup.badge(law["status"])}'),
        markup.paragraph(headline.sentence(law['sentence'])),
        markup.pairs(certificates[name], class_='certificate'),
      )
    )  # fmt: skip
    if name == 'isoflop':
      out.append(_budget_statuses(budgets))
  return ''.join(out)


def _budget_statuses(budgets: Sequence[dict[str, Any]]) -> str:
  bad = [b for b in budgets if b['status'] != 'ok']
  if not bad:
    return ''
  items = [
    tag(
      'li',
      f'{markup.text(markup.flops(b["C"]))} FLOPs: {markup.badge(b["status"])} ',
      markup.text(headline.sentence(b['sentence'])),
    )
    for b in bad
  ]
  return markup.details(
    f'{len(bad)} of {len(budgets)} budgets are not ok', tag('ul', *items)
  )


def _exponents(law: dict[str, Any]) -> list[tuple[str, str]]:
  return [
    (
      f'Exponent of {name}',
      markup.number(words.estimate(law[name]['exponent'], law['status'])),
    )
    for name in ('N_opt', 'D_opt')
  ]


def _certificate(law: dict[str, Any]) -> list[tuple[str, str]]:
  rows = []
  # How the search ended stands on its own, whatever became of the law.
  for name, key, form in (
    ('Objective', 'objective', '{:.9g}'),
    ('Gradient, at most 1e-5', 'gradient_norm', '{:.1e}'),
    ('Condition number, at most 1e6', 'condition', '{:.3g}'),
  ):
    if law[key] is not None:
      rows.append((name, form.format(law[key])))
  if law['n_starts'] is not None:
    agree = f'{law["n_agree"]} of {law["n_starts"]}'
    rows.append(('Starts that agree', agree))
  for name, key in (('Solver', 'solver'), ('Bootstrap', 'method')):
    if law[key]:
      rows.append((name, markup.text(str(law[key]))))
  noise = words.estimate(law['noise'], law['status'])
  rows.append(('Scatter about the law, sd of log L', markup.number(noise)))
  return rows


def made(fits: Fits) -> str:
  """Configs, code version, device, seeds: what it takes to do it again."""
  found = fits.get('made') or {}
  out = [markup.pairs(_facts(fits, found), class_='facts')]
  unknown = found.get('unknown') or []
  if unknown:
    reasons = sorted({entry['reason'] for entry in unknown})
    out.append(
      markup.paragraph(
        f'How {len(unknown)} of {fits["source"]["n_runs"]} runs were made is'
        f' not known: {"; ".join(reasons)}.'
      )
    )
  if found.get('differing'):
    rows = [
      (entry['name'], markup.text(_values(entry['values'])))
      for entry in found['differing']
    ]
    out.append(tag('h3', 'Settings that differ between runs'))
    out.append(markup.pairs(rows, class_='settings'))
  if found.get('common'):
    rows = [
      (name, markup.text(_word(value)))
      for name, value in found['common'].items()
    ]
    out.append(tag('h3', 'Settings of every run'))
    out.append(markup.pairs(rows, class_='settings'))
  out.append(
    markup.details('Files read', markup.listed(fits['source']['files']))
  )
  return ''.join(out)


def _facts(fits: Fits, found: dict[str, Any]) -> list[tuple[str, str]]:
  source = fits['source']
  corpus = found.get('corpus') or {}
  rows = [('Source', source['format'])]
  rows.append(('Corpus', ', '.join(found.get('datasets') or []) or 'not known'))
  for name, title in (
    ('train_tokens', 'Tokens to train on'),
    ('val_tokens', 'Tokens to validate on'),
    ('vocab_size', 'Vocabulary'),
  ):
    if isinstance(corpus.get(name), (int, float)):
      rows.append((title, f'{corpus[name]:,}'))
  devices = [g for g in found.get('devices') or [] if g['value']]
  rows.append(('Devices', _values(devices) or 'not known'))
  seeds = found.get('seeds') or []
  rows.append(('Seeds', ', '.join(map(str, seeds))))
  if found.get('wall_s'):
    rows.append(('Time of all runs', _duration(found['wall_s'])))
  for name, groups in (found.get('versions') or {}).items():
    known = [g for g in groups if g['value'] is not None]
    title = 'Code, commit' if name == 'commit' else name
    rows.append((title, _values(known) or 'not known'))
  if not found.get('versions'):
    rows.append(('Code', 'not known'))
  asked = ', '.join(
    f'{name} {_word(value)}'
    for name, value in source['settings'].items()
    if name in ('draws', 'method', 'solver', 'seed', 'drop_highest')
  )
  rows.append(('Analysis', f'scaling_jax {source["version"]}; {asked}'))
  return [(title, markup.text(value)) for title, value in rows]


def _values(groups: Sequence[dict[str, Any]]) -> str:
  """Values with how many runs share each, where there is more than one."""
  if len(groups) == 1:
    return _word(groups[0]['value'])
  shown = [
    f'{_word(g["value"])} ({len(g["run_ids"])})' for g in groups[:_WIDTH]
  ]
  if len(groups) > _WIDTH:
    shown.append(f'and {len(groups) - _WIDTH} more')
  return ', '.join(shown)


def _word(value: Any) -> str:
  if value is None:
    return 'none'
  if isinstance(value, bool):
    return 'yes' if value else 'no'
  if isinstance(value, float):
    return f'{value:g}'
  return str(value)


def _duration(seconds: float) -> str:
  minutes, s = divmod(round(seconds), 60)
  hours, minutes = divmod(minutes, 60)
  return f'{hours} h {minutes:02d} min' if hours else f'{minutes} min {s:02d} s'
