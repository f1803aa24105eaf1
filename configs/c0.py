"""The budget C0 = 6e13 FLOPs, four models.

python launch.py --config=configs/c0.py:gpt-0     one model
python launch.py --config=configs/c0.py           all of them, one by one

On two CPU cores gpt-0 takes 8 minutes and ends at a validation loss of 1.5235
± 0.0017 nats per character (2.198 bits per byte) on 34.6 MB of Gutenberg
poetry. All four take about 34 minutes, by --dry_run.
"""

from configs import common


def get_config(arg=None):
  c = common.get_config()
  c.experiment = 'c0'
  c.C = 6e13
  c.models = ('gpt-0', 'gpt-1', 'gpt-2', 'gpt-3')
  return common.apply_arg(c, arg)
