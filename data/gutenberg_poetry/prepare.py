"""Prepares gutenberg_poetry from a text file or a folder of .txt files.

python data/gutenberg_poetry/prepare.py --input=FILE

Writes train.bin, val.bin and meta.json beside this script. The text is the
Gutenberg Poetry Corpus (CC0), one line of verse a line; the hub's
biglam/gutenberg-poetry-corpus carries it. Any other text works as well.
"""

import argparse
import pathlib
import sys

from scaling_jax.corpus import prepare
from scaling_jax.corpus import sources
from scaling_jax.errors import UserError


def main(argv: list[str] | None = None) -> int:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument(
    '--input', required=True, help='a UTF-8 text file, or a folder of .txt'
  )
  parser.add_argument(
    '--output', default=pathlib.Path(__file__).parent, help='where to write'
  )
  options = parser.parse_args(argv)
  try:
    meta = prepare.prepare(sources.TextSource(options.input), options.output)
  except (UserError, OSError) as error:
    print(f'{pathlib.Path(__file__).name}: {error}', file=sys.stderr)
    return 2
  print(prepare.describe(meta))
  return 0


if __name__ == '__main__':
  sys.exit(main())
