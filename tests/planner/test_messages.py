"""Every text that the planner shows, held against tests/golden."""

import contextlib
import io
import pathlib

from absl.testing import absltest

from scaling_jax.errors import UserError
from scaling_jax.planner import __main__ as planner
from scaling_jax.planner import api
from scaling_jax.planner import arguments
from scaling_jax.planner import configs
from scaling_jax.planner import design
from scaling_jax.planner import hardware
from scaling_jax.planner import law_registry
from scaling_jax.planner import messages
from scaling_jax.planner import old_spellings
from scaling_jax.planner import plan
from scaling_jax.planner import resources
from scaling_jax.planner.bounds import Beyond
from scaling_jax.planner.resources import Machine
from scaling_jax.planner.resources import Token
from tests import golden_case
from tests.planner import own_fits
from tests.planner.test_configs import config
from tests.planner.test_design import homework

CHARACTERS = Token('characters', 66)

REFUSED = (
  '', 'pln', 'configs/c0.py', 'plan', 'plan --noise=1', 'plan --flop=1',
  'plan --wrong=1', 'devices --wrong=1', 'plan --flops', 'plan --flops=x',
  'plan --count=1.5', 'plan --flops=1 --flops=2', 'plan --law=', 'plan 7',
  'config', 'config a.py b.py', 'plan --device=h100', 'plan --days=3',
  'plan --epochs=2 --flops=1e9', 'plan --flops=-1', 'plan --flops=1e300',
  'plan --flops=1e32 --law=besiroglu', 'plan --tokens=900 --law=kaplan',
  'plan --tokens=3', 'plan --tokens=1e9 --corpus=x', 'plan --device=h100 --mfu=2',
  'plan --device=h100 --count=0', 'plan --device=h100 --peak_tflops=1',
  'plan --peak_tflops=1 --precision=tf32', 'plan --device=h1000',
  'plan --device=m1 --precision=bfloat16', 'plan --flops=1e20 --law=hofman',
  'plan --flops=1e20 --law=xyz', 'plan --flops=1e20 --law=kaplan,kaplan',
  'plan --flops=1e20 --block_size=0', 'plan --flops=1e20 --level=1',
  'design configs/c0.py --law=kaplan', 'design configs/c0.py --level=1',
  'design configs/c0.py --law=kaplan,hoffmann',
  'design configs/c0.py --noise=0.001 --seed_noise=0.1',
  'design configs/c0.py --seed=-1', 'design configs/c0.py configs/c0.py',
  'design configs/c0.py configs/quickstart.py',
)  # fmt: skip


def printed(line: str) -> str:
  """What help prints."""
  out = io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
    arguments.parse(line.split())
  return out.getvalue()


def refusal(of) -> str:
  try:
    of()
  except UserError as error:
    return str(error)
  raise AssertionError('nothing was refused')


class GoldenTest(golden_case.GoldenCase):
  def test_plans(self):
    fit = own_fits.chinchilla_fit()
    text = resources.Text(1e6, 10.0, CHARACTERS, 'a.txt')
    own = resources.gather(machine=Machine('m1'), text=text)
    parts = [
      api.plan(5.76e23, law=api.LAWS),
      api.plan(
        1e19, 1e9, machine=Machine('h100', days=1), law=['besiroglu', fit],
        epochs=2,
      ),
      plan.make(own, law_registry.laws_of(['kaplan', own_fits.isoflop_fit()])),
    ]  # fmt: skip
    self.golden('planner_plans', '\n\n'.join(map(str, parts)))

  def test_designs(self):
    few = design.judge(
      configs.planned_runs([config('c0.py:gpt-0'), config('c1.py:gpt-1')]),
      settings=design.Settings(laws=2, draws=20),
    )
    self.golden('planner_designs', f'{homework()}\n\n{few}')

  def test_models_and_devices(self):
    parts = [api.models('besiroglu'), hardware.Devices()]
    self.golden('planner_models', '\n\n'.join(map(str, parts)))

  def test_help(self):
    lines = ['--help', *(f'{name} --help' for name in arguments.COMMANDS)]
    self.golden('planner_help', '\n'.join(map(printed, lines)))

  def test_notes(self):
    lines = [
      messages.fit_has_no_draws(),
      messages.compute_binds(1e20),
      messages.data_bind(1e18, 3.0, messages.all_of_it(1e9, 2.5)),
      messages.data_bind_smaller_model(3e9),
      messages.other_tokens(Token('BPE'), CHARACTERS),
      messages.other_text('poetry'),
      messages.nothing_is_certain(Beyond('C', 2e25, 1.3e22, 1538.0)),
      messages.nothing_is_certain(Beyond('D', 1e6, 5e9, 5000.0)),
      messages.do_not_agree(2e9, 1.4e9),
      messages.laws_of_spread(120, 'Besiroglu et al. 2024'),
      messages.too_many_epochs([('gpt-0', 7.25)], 4),
      messages.runs_alone(3),
      messages.best_seed('gpt-0', 'configs/c0.py', 0.03),
      old_spellings.note(['--design=a.py,b.py', '--noise=0.01']),
    ]
    self.golden('planner_notes', '\n'.join(lines))

  def test_refusals(self):
    lines = [
      refusal(lambda line=line: planner.run(line.split())) for line in REFUSED
    ]
    lines += [
      refusal(lambda: old_spellings.translate(['--models', '--devices'])),
      refusal(lambda: old_spellings.translate(['--design='])),
      refusal(lambda: law_registry.law_of(own_fits.isoflop_fit().N_opt)),
      refusal(lambda: api.models(own_fits.isoflop_fit())),
    ]
    for line in lines:
      self.assertNotIn('\n', line)
    root = str(pathlib.Path(__file__).resolve().parents[2])
    self.golden('planner_refused', '\n'.join(lines).replace(root, ''))


if __name__ == '__main__':
  absltest.main()
