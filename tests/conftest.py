"""Two CPU devices for every test, and flags that absltest wants parsed."""

import tempfile

from absl import flags
import jax

jax.config.update('jax_num_cpu_devices', 2)
flags.FLAGS.mark_as_parsed()

# Runs of the same tiny model compile once a session.
_CACHE = tempfile.TemporaryDirectory(prefix='scaling_jax_tests_')
jax.config.update('jax_compilation_cache_dir', _CACHE.name)
jax.config.update('jax_persistent_cache_min_compile_time_secs', 0)
jax.config.update('jax_persistent_cache_min_entry_size_bytes', -1)
