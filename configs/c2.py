"""The budget C2 = 6e14 FLOPs, four models.

python launch.py --config=configs/c2.py:gpt-4     one model
python launch.py --config=configs/c2.py           all of them, one by one

On two CPU cores the four take about seven hours, by --dry_run. Their losses
have not been measured yet.
"""

from configs import common


def get_config(arg=None):
  c = common.get_config()
  c.experiment = 'c2'
  c.C = 6e14
  c.models = ('gpt-1', 'gpt-2', 'gpt-3', 'gpt-4')
  return common.apply_arg(c, arg)
