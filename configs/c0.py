"""The budget C0 = 6e13 FLOPs.

python launch.py --config=configs/c0.py:gpt-1     one model
python launch.py --config=configs/c0.py           all of them, one by one
"""

from configs import common


def get_config(arg=None):
  c = common.get_config()
  c.experiment = 'c0'
  c.C = 6e13
  c.models = ('gpt-0', 'gpt-1', 'gpt-2', 'gpt-3')
  return common.apply_arg(c, arg)
