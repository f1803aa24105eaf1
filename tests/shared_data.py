"""Where real data lie, beside the project; tests skip where they are absent."""

import pathlib

SHARED = pathlib.Path(__file__).resolve().parents[2] / 'shared' / 'data'
POETRY = SHARED / 'gutenberg_poetry.txt'
PUBLISHED = SHARED / 'published'
CHINCHILLA = PUBLISHED / 'chinchilla_figure4.csv'
NANOCHAT = PUBLISHED / 'nanochat_isoflop.csv'
