"""What the flags of the analysis ask of tables."""

from absl.testing import absltest
from absl.testing import parameterized

from scaling_jax.analysis import flags
from scaling_jax.errors import UserError

NOTHING = {'columns': {}, 'units': {}, 'where': {}, 'include': [], 'unit': None}


class FlagsTest(parameterized.TestCase):
  def tearDown(self):
    super().tearDown()
    flags.FLAGS.unparse_flags()
    for name in flags.FLAGS:
      flags.FLAGS[name].unparse()

  def reading(self, *given):
    flags.FLAGS(['analysis', *given])
    return flags.reading()

  def test_nothing_is_asked(self):
    self.assertEqual(self.reading(), NOTHING)

  @parameterized.parameters(
    ('--columns=N=n_params,D=tokens', {'N': 'n_params', 'D': 'tokens'}),
    ('--columns= N = a b , D = c ', {'N': 'a b', 'D': 'c'}),
    ('--columns=loss=val/loss', {'loss': 'val/loss'}),
    ('--columns=loss=loss, nats,N=n', {'loss': 'loss, nats', 'N': 'n'}),
    ('--columns=loss=a=b', {'loss': 'a=b'}),
    ('--columns=tokens_per_step=524288', {'tokens_per_step': '524288'}),
  )
  def test_columns(self, flag, columns):
    self.assertEqual(self.reading(flag), NOTHING | {'columns': columns})

  @parameterized.parameters(
    ('--units=N:M,D:B', {'N': 'M', 'D': 'B'}),
    ('--units=C:PF-days', {'C': 'PF-days'}),
    ('--units=loss:bits/token', {'loss': 'bits/token'}),
  )
  def test_units(self, flag, units):
    self.assertEqual(self.reading(flag), NOTHING | {'units': units})

  def test_flags_that_are_given_again_add(self):
    found = self.reading(
      '--columns=N=a', '--columns=D=b', '--where=x=1', '--where=y=a,b=c',
      '--units=N:M', '--units=D:B', '--include=crashed,repeat',
      '--unit=bits/byte',
    )  # fmt: skip
    self.assertEqual(
      found,
      {
        'columns': {'N': 'a', 'D': 'b'}, 'units': {'N': 'M', 'D': 'B'},
        'where': {'x': '1', 'y': 'a,b=c'}, 'include': ['crashed', 'repeat'],
        'unit': 'bits/byte',
      },
    )  # fmt: skip

  @parameterized.parameters(
    ('--columns=N', '--columns=N='), ('--columns==a', '--columns=N='),
    ('--columns=N=', '--columns=N='), ('--columns=N=a,', 'N=a'),
    ('--units=M', '--units=N:M'), ('--units=N=M', '--units=N:M'),
    ('--where=llama', '--where=experiment=llama_3'),
  )  # fmt: skip
  def test_no_pairs(self, flag, named):
    try:
      found = self.reading(flag)
    except UserError as error:
      self.assertIn(f'try {named}', str(error))
      self.assertIn(flag, str(error))
    else:  # a comma at the end belongs to the name
      self.assertEqual(found['columns'], {'N': 'a,'})

  def test_sources(self):
    flags.FLAGS(['analysis', '--wandb=a/b', '--wandb=c/d'])
    self.assertEqual(flags.sources(['x']), ['x', 'wandb:a/b', 'wandb:c/d'])


if __name__ == '__main__':
  absltest.main()
