"""Two CPU devices for every test, and flags that absltest wants parsed."""

from absl import flags
import jax

jax.config.update('jax_num_cpu_devices', 2)
flags.FLAGS.mark_as_parsed()
