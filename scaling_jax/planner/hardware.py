"""Peak rates of common accelerators and laptops, dense, by precision.

Products accumulate in float32, as training needs it: GeForce cards run float16
at twice the rate listed if they may accumulate in float16. Rates that a vendor
states for structured sparsity are halved. A device is one chip, or one board
where a board is sold as one. None stands where a device has no such unit
or its vendor states no rate.
"""

from typing import NamedTuple

from scaling_jax import errors
from scaling_jax.errors import UserError

PRECISIONS = ('bfloat16', 'float16', 'tf32', 'float32')  # the fastest first


class Device(NamedTuple):
  """TFLOP/s of one device, and where they are stated."""

  float32: float | None
  tf32: float | None
  float16: float | None
  bfloat16: float | None
  source: str


DEVICES = {
  # NVIDIA, data center
  'p100': Device(10.6, None, None, None, 'NVIDIA P100 SXM2 datasheet'),
  'v100': Device(15.7, None, 125, None, 'NVIDIA V100 SXM2 datasheet'),
  't4': Device(8.1, None, 65, None, 'NVIDIA T4 datasheet'),
  'a10': Device(31.2, 62.5, 125, 125, 'NVIDIA A10 datasheet'),
  'a100': Device(19.5, 156, 312, 312, 'NVIDIA A100 datasheet'),
  'l4': Device(30.3, 60, 121, 121, 'NVIDIA L4 datasheet, sparse halved'),
  'l40s': Device(91.6, 183, 362, 362, 'NVIDIA L40S datasheet'),
  'h100': Device(
    66.9, 494.7, 989.4, 989.4, 'NVIDIA H100 whitepaper, SXM5, dense'
  ),
  'h100-pcie': Device(
    51.2, 378, 756, 756, 'NVIDIA H100 whitepaper, PCIe, dense'
  ),
  'h200': Device(67, 494.5, 989, 989, 'NVIDIA H200 datasheet, sparse halved'),
  'b200': Device(
    75, 1125, 2250, 2250, 'NVIDIA HGX B200 datasheet, an eighth, sparse halved'
  ),
  # NVIDIA, desktop and laptop
  'rtx-2080-ti': Device(
    13.4, None, 53.8, None, 'NVIDIA Turing whitepaper, reference card'
  ),
  'rtx-3090': Device(35.6, 35.6, 71, 71, 'NVIDIA GA102 whitepaper'),
  'rtx-4090': Device(82.6, 82.6, 165.2, 165.2, 'NVIDIA Ada whitepaper'),
  'rtx-4060-laptop': Device(
    14.6, 14.6, 29.1, 29.1, 'arithmetic: 3,072 cores, 2.37 GHz (115 W); at 45 W less'
  ),
  # AMD
  'mi250x': Device(47.9, None, 383, 383, 'AMD MI250X datasheet, both dies'),
  'mi300x': Device(163.4, 653.7, 1307.4, 1307.4, 'AMD MI300X datasheet'),
  # Google, a chip
  'tpu-v2': Device(None, None, None, 45, 'Google Cloud TPU documentation'),
  'tpu-v3': Device(None, None, None, 123, 'Google Cloud TPU documentation'),
  'tpu-v4': Device(None, None, None, 275, 'Google Cloud TPU documentation'),
  'tpu-v5e': Device(None, None, None, 197, 'Google Cloud TPU documentation'),
  'tpu-v5p': Device(None, None, None, 459, 'Google Cloud TPU documentation'),
  'tpu-v6e': Device(None, None, None, 918, 'Google Cloud TPU documentation'),
  # Apple, the GPU
  'm1': Device(2.6, None, None, None, 'Apple press release, November 2020'),
  'm1-pro': Device(5.2, None, None, None, 'Apple event, October 2021'),
  'm1-max': Device(10.4, None, None, None, 'Apple event, October 2021'),
  'm2': Device(3.6, None, None, None, 'Apple event, June 2022'),
  'm2-ultra': Device(27.2, None, None, None, 'Apple event, June 2023'),
  'laptop-cpu': Device(
    0.384, None, None, None,
    'arithmetic: 4 cores, 3 GHz, two 8-wide float32 multiply-adds a cycle',
  ),
}  # fmt: skip


class Peak(NamedTuple):
  """A rate of `DEVICES`.

  Attributes:
    device: its name there.
    flops_per_s: the peak rate, FLOP/s.
    precision: of the products.
  """

  device: str
  flops_per_s: float
  precision: str


def peak(name: str, precision: str | None = None) -> Peak:
  """The peak rate of a device.

  Args:
    name: of `DEVICES`, in any case.
    precision: of `PRECISIONS`; None for the fastest that the device has.

  Raises:
    UserError: the device is unknown, or has no such rate.

  >>> peak('H100')
  Peak(device='h100', flops_per_s=989400000000000.0, precision='bfloat16')
  """
  known = name.lower().replace('_', '-').replace(' ', '-')
  if known not in DEVICES:
    near = errors.suggest(known, DEVICES)
    near = near or [d for d in DEVICES if known and known[0] == d[0]][:3]
    raise UserError(
      f'device={name} is not known: it must be one of {", ".join(DEVICES)}; try'
      f' device={" or device=".join(near or ["h100"])}, or peak_tflops= with'
      ' its rate'
    )
  rates = rates_of(DEVICES[known])
  chosen = next(iter(rates)) if precision is None else precision
  if chosen not in rates:
    raise UserError(
      f'precision={chosen} has no rate listed for {known}: it must be one of'
      f' {", ".join(rates)}; try precision={next(iter(rates))}'
    )
  return Peak(known, rates[chosen] * 1e12, chosen)


class Devices:
  """All of `DEVICES`, as the command line lists them."""

  def to_json(self) -> str:
    """The same for machines; docs/planner.md has its fields."""
    from scaling_jax.planner import schema

    return schema.dumps(schema.of_devices())

  def __str__(self) -> str:
    from scaling_jax.planner import tables

    return tables.devices_table().text().rstrip()


def rates_of(device: Device) -> dict[str, float]:
  """TFLOP/s by precision, the fastest first; those that it has."""
  every = {p: getattr(device, p) for p in PRECISIONS}
  return {p: rate for p, rate in every.items() if rate is not None}
