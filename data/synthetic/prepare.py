"""Prepares the synthetic corpus; launch.py does it by itself when needed.

python data/synthetic/prepare.py

Writes train.bin, val.bin and meta.json beside this script. The text comes from
a source of known entropy: see scaling_jax/corpus/synthetic.py.
"""

import argparse
import pathlib

from scaling_jax import formatting
from scaling_jax.corpus import prepare


def main(argv: list[str] | None = None) -> None:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--characters', type=int, default=10_000_000)
  parser.add_argument('--seed', type=int, default=0)
  parser.add_argument('--output', default=pathlib.Path(__file__).parent)
  options = parser.parse_args(argv)
  meta = prepare.prepare_synthetic(
    options.output, n_characters=options.characters, seed=options.seed
  )
  print(prepare.describe(meta))
  entropy = formatting.number(meta['entropy_nats_per_character'], 7)
  print(f'{entropy} nats per character')


if __name__ == '__main__':
  main()
