"""The wording of Kaplan's laws, the critical batch and the readings."""

from absl.testing import absltest

from scaling_jax.analysis.messages import kaplan as messages
from tests.golden_case import GoldenCase

LOSSES = (4.1, 5.6)
TOKENS = (2e3, 1.28e5)


class MessagesTest(GoldenCase):
  def test_laws(self):
    lines = [
      messages.few_runs(1, 5),
      messages.few_runs(4, 5),
      messages.one_value('N'),
      messages.along_a_line('D'),
      messages.few_curves(3, 4),
      messages.exponent_diverges(7.25),
      messages.not_falling('S_min', 0.08, -0.02),
      messages.open_draws(0.125, 'D'),
      messages.fitted('24 of 24 starts agree', 0.0123),
      messages.on_the_hull(5, 7),
      messages.at_fixed(2e9, 'tokens', 'fitted to 7 points'),
      messages.needs_batch('not_identified'),
      messages.extrapolated(LOSSES, 0.668, 1.0),
      messages.needs_law('L(C_min)', 'too_few_points'),
      *map(messages.consistency, (True, False, None)),
      *(
        getattr(messages, name)
        for name in dir(messages)
        if name.isupper() and isinstance(getattr(messages, name), str)
      ),
    ]
    self.golden('kaplan_laws', '\n'.join(lines))

  def test_critical_batch(self):
    lines = [
      messages.few_batches(1, 3),
      messages.few_batches(2, 3),
      messages.no_common_loss(3),
      messages.reached_by_few(2, 3),
      messages.reached_by(5),
      messages.minimum_hidden('S_min', TOKENS),
      messages.minimum_open('E_min', 'smaller', TOKENS),
      messages.excluded_losses(4, 12),
      messages.fitted_to_losses(8),
      messages.fitted_to_losses(8, LOSSES[::-1]),
      messages.batch_open(4.1, (5e3, 2e7)),
      messages.most_excluded(9, LOSSES[::-1], messages.reached_by_few(2, 3)),
      messages.one_rate(),
      messages.rate_at_edge('largest', 1e-3, TOKENS),
    ]
    self.golden('critical_batch', '\n'.join(lines))

  def test_readings(self):
    lines = [f'{text.what}: {text.why}' for text in messages.READINGS.values()]
    lines += [
      messages.by_approach(2),
      messages.other_runs(messages.by_approach(3)),
      messages.batch_unknown('too_few_points'),
      messages.extrapolated_reading(LOSSES),
    ]
    self.golden('kaplan_readings', '\n'.join(lines))


if __name__ == '__main__':
  absltest.main()
