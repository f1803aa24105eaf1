"""Kaplan's L(N): seven sizes on the same data, by Kaplan's recipe.

python launch.py --config=configs/kaplan_n.py:smoke    seven small models
python launch.py --config=configs/kaplan_n.py          all seven, one by one

The first takes 47 seconds on two CPU cores and ends at 1.8833 to 1.5796 nats per
character on the embedded corpus. The second is for accelerators and a corpus of
billions of tokens (--config.dataset): its losses have not been measured.

The curves give L(C) and N_opt(C) too, and with configs/critical_batch.py beside
them L(C_min), N_opt(C_min) and L(N, S_min).
"""

from configs import common


def get_config(arg=None):
  c = common.kaplan()
  c.experiment = 'kaplan_n'
  c.models = ('2x64', '4x64', '8x64', '4x128', '8x128', '10x192', '8x256')
  return common.apply_arg(c, arg, _smoke)


def _smoke(c):
  common.kaplan_smoke(c)
  c.models = ('1x8', '1x12', '1x16', '1x24', '1x32h1', '1x48h1', '1x64h1')
  # Constant and long enough that each curve crosses those of larger models.
  c.train.schedule = 'constant'
  c.steps = 60_000
