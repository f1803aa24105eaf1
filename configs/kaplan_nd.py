"""Kaplan's L(N, D): three sizes, each on five shares of the text.

python launch.py --config=configs/kaplan_nd.py:smoke    three small models
python launch.py --config=configs/kaplan_nd.py          fifteen runs, one by one

The first takes 52 seconds on two CPU cores; its lowest losses are 1.9645 to 1.4525
nats per character on the embedded corpus. The second is for accelerators and a
corpus of billions of tokens: its losses have not been measured.

D is the text there is, and the loss that counts the lowest on the way: a model
that has read its share too often gets worse again (early stopping).
"""

from configs import common


def get_config(arg=None):
  c = common.kaplan()
  c.experiment = 'kaplan_nd'
  c.models = ('4x64', '4x128', '10x192')
  c.sweep['data_fraction'] = (0.0031623, 0.01, 0.031623, 0.1, 1.0)
  return common.apply_arg(c, arg, _smoke)


def _smoke(c):
  common.kaplan_smoke(c)
  c.models = ('1x16', '1x32h1', '1x64h1')
  # Small models on made-up text overfit only the smallest parts of it.
  c.sweep['data_fraction'] = (0.0003, 0.001, 0.003, 0.01, 0.1)
  c.eval.every_steps = 250  # the lowest loss lies between two evaluations
