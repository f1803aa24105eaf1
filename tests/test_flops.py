"""The closed form of a step's FLOPs against XLA's count of what is traced."""

import functools

from absl.testing import absltest
from absl.testing import parameterized
import jax
import jax.numpy as jnp

from scaling_jax import budget
from scaling_jax.training import model as model_lib
from scaling_jax.training import optimizer as optimizer_lib
from scaling_jax.training import step as step_lib

BLOCK, VOCAB, SEQUENCES = 32, 66, 4


def inner_jaxprs(value):
  """The programs among an equation's parameters."""
  if hasattr(value, 'eqns'):
    yield value
  elif hasattr(value, 'jaxpr'):
    yield value.jaxpr
  elif isinstance(value, tuple | list):
    for item in value:
      yield from inner_jaxprs(item)


def matrix_products(jaxpr, times=1):
  """Every dot_general of a program, and how often it runs."""
  for equation in jaxpr.eqns:
    if equation.primitive.name == 'dot_general':
      yield equation, times
    turns = equation.params.get('length', 1)
    for value in equation.params.values():
      for inner in inner_jaxprs(value):
        yield from matrix_products(inner, times * turns)


@functools.cache
def xla_flops(a, b, dimension_numbers):
  """What XLA's cost analysis says of one product."""

  def product(x, y):
    return jax.lax.dot_general(x, y, dimension_numbers)

  shapes = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in (a, b)]
  return jax.jit(product).lower(*shapes).cost_analysis()['flops']


def update(name, dropout=0.0):
  """An update of a model, and abstract arguments of it."""
  config = model_lib.GPTConfig(
    *budget.model_shape(name), BLOCK, VOCAB, dropout=dropout
  )
  optimizer = optimizer_lib.make_optimizer(
    optimizer_lib.AdamW(0.9, 0.99, 0.1, 1.0)
  )
  train_step = step_lib.make_train_step(config, optimizer, axis_name=None)

  def init():
    params = step_lib.init_params(config, 0)
    key = jax.random.key_data(jax.random.key(0))
    return step_lib.TrainState(0, key, params, optimizer.init(params))

  state = jax.eval_shape(init)
  windows = jax.ShapeDtypeStruct((SEQUENCES, BLOCK + 1), jnp.uint8)
  return train_step, (state, windows, jnp.float32(1e-3))


class FlopsTest(parameterized.TestCase):
  @parameterized.product(name=[*budget.FAMILY, '3x32h1'], dropout=[0.0, 0.1])
  def test_closed_form_counts_what_is_traced(self, name, dropout):
    train_step, arguments = update(name, dropout)
    traced = jax.make_jaxpr(train_step)(*arguments).jaxpr
    found = sum(
      times
      * xla_flops(
        *(operand.aval.shape for operand in equation.invars),
        equation.params['dimension_numbers'],
      )
      for equation, times in matrix_products(traced)
    )
    expected = budget.flops_per_token(
      budget.model_shape(name), BLOCK, VOCAB
    ) * (SEQUENCES * BLOCK)
    self.assertAlmostEqual(found / expected, 1.0, delta=0.02)


if __name__ == '__main__':
  absltest.main()
