"""The budget C1 = 3e14 FLOPs, three models.

python launch.py --config=configs/c1.py:gpt-2     one model
python launch.py --config=configs/c1.py           all of them, one by one

On two CPU cores the three take about two and a half hours, by --dry_run. Their
losses have not been measured yet.
"""

from configs import common


def get_config(arg=None):
  c = common.get_config()
  c.experiment = 'c1'
  c.C = 3e14
  c.models = ('gpt-1', 'gpt-2', 'gpt-3')
  return common.apply_arg(c, arg)
