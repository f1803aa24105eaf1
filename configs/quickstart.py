"""A first run, on the embedded corpus: three small models at one budget.

python launch.py --config=configs/quickstart.py

On two CPU cores it takes 40 seconds and ends at validation losses near 1.667,
1.786 and 2.103 nats per character: at this budget the smallest model wins.
"""

from configs import common


def get_config(arg=None):
  c = common.get_config()
  c.experiment = 'quickstart'
  c.dataset = 'synthetic'
  c.C = 4e11
  c.models = ('2x32', '2x64', '3x96')
  c.train.learning_rate = 3e-3  # small models and short runs bear more
  c.train.min_learning_rate = 3e-4
  c.eval.batches = 50
  return common.apply_arg(c, arg)
